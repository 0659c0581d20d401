"""What can be bad about a machine: its clock jumps, its disk is full. Each says why where that cannot be had."""

from __future__ import annotations

import errno
import shutil
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

#: Where Debian's `libfaketime` puts it, by architecture.
_FAKETIME = "usr/lib/*/faketime/libfaketimeMT.so.1"


#: The variable that names the file with the shift of a worker's clock.
CLOCK = "OPS_CHAOS_CLOCK"


class Clocks:
    """The wall clocks of the server and of the hosts, each shifted by what its file says. Monotonic clocks are true."""

    def __init__(self, home: Path) -> None:
        self._library = next((str(path) for path in Path("/").glob(_FAKETIME)), "")
        self._files = {host: home / f"clock-{host}" for host in ("server", "one", "two")}
        self.shift = dict.fromkeys(self._files, 0)
        """Seconds, as they are now."""
        self.jumps: list[int] = [0]
        """Every shift that the server's clock has had."""
        for host in self._files:
            self._write(host)

    @property
    def why_not(self) -> str:
        """Why no clock can jump; empty where they can."""
        return "" if self._library else "libfaketime is not installed (Debian: apt install faketime)"

    def environment(self, host: str) -> dict[str, str]:
        """What makes a process of the host read the shifted clock: the server by libfaketime, a worker by itself.

        Under libfaketime the waits of Python's threads end too early, and idle workers are busy.
        """
        if self.why_not or host not in self._files:
            return {}
        if host != "server":
            return {CLOCK: str(self._files[host])}
        return {
            "LD_PRELOAD": self._library,
            "FAKETIME_TIMESTAMP_FILE": str(self._files[host]),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def jump(self, host: str, seconds: int) -> None:
        """By so much from now on."""
        self.shift[host] += seconds
        if host == "server":
            self.jumps.append(self.shift[host])
        self._write(host)

    def true(self, at: float, began: float) -> float:
        """When something was that the server has stamped with `at`: a world lasts for less than a jump does."""
        return at - max((one for one in self.jumps if at - one >= began - 5), default=0)

    def _write(self, host: str) -> None:
        new = self._files[host].with_suffix(".new")
        new.write_text(f"{self.shift[host]:+d}s\n")
        new.rename(self._files[host])


class Disk:
    """A small disk of its own below a folder, where mounting is allowed; else the folder is an ordinary one."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        argv = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder)]
        mount = shutil.which("mount")
        done = subprocess.run(argv, capture_output=True, text=True, check=False) if mount else None
        self.why_not = "" if done and done.returncode == 0 else "no small disk can be mounted here (root mounts one)"

    def fill(self, seconds: float) -> bool:
        """Leave no byte free for a while; False where it is no disk of its own."""
        if self.why_not:
            return False
        filler = self.folder / ".filler"
        try:
            with filler.open("ab", buffering=0) as file:
                while True:
                    file.write(bytes(65_536))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        threading.Thread(target=self._free, args=(filler, seconds), daemon=True).start()
        return True

    def _free(self, filler: Path, seconds: float) -> None:
        time.sleep(seconds)
        filler.unlink(missing_ok=True)

    def close(self) -> None:
        """Give it back."""
        if not self.why_not:
            with suppress(OSError):
                subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, check=False)
