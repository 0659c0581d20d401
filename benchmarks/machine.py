"""Which machine and which versions a figure comes from. No name and no path of the machine is in it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

from tests.conftest import server_binary


def described() -> dict[str, str]:
    """What a reader has to know to compare figures."""
    return {
        "measured": time.strftime("%Y-%m-%d", time.gmtime()),
        "processor": f"{os.cpu_count()} × {_processor()}",
        "load": f"{os.getloadavg()[0]:.1f}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "python": platform.python_version(),
        "celery": version("celery"),
        "redis-py": version("redis"),
        "server": _first_version(server_binary() or "", "--version"),
        "git": _first_version("git", "--version"),
    }


def _processor() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _first_version(*argv: str) -> str:
    try:
        text = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return "?"
    found = re.search(r"\d+\.\d+[\w.]*", text)
    return found[0] if found else "?"
