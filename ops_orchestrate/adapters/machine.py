"""What this machine has, as far as its kernel says."""

from __future__ import annotations

from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_MEMINFO = Path("/proc/meminfo")


def memory_mb(cgroup: Path = _CGROUP, meminfo: Path = _MEMINFO) -> int:
    """Its memory, or what its container may use of it if that is less; 0 where nothing says so."""
    found = [value for value in (_total(meminfo), _limit(cgroup)) if value]
    return min(found, default=0) >> 20


def _total(meminfo: Path) -> int:
    for line in _text(meminfo).splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) << 10
    return 0


def _limit(cgroup: Path) -> int:
    """Of the group that a container's processes see as the root of all."""
    text = _text(cgroup / "memory.max") or _text(cgroup / "memory" / "memory.limit_in_bytes")
    return int(text) if text.strip().isdecimal() else 0


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
