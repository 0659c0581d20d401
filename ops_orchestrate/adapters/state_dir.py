"""Where the embedded stack keeps its files, and the few ways they are written.

    STATE/users.lock    shared: this process uses the stack      exclusive: the keeper is stopping it
    STATE/keeper.lock   exclusive: held by the keeper
    STATE/server.lock   exclusive: held by the server, which inherited it
    STATE/run/          spec.json (what to keep), status.json (what is), workers.json, server.conf, the socket
    STATE/server/       the append-only file
    STATE/logs/         keeper.log, server.log, one log a worker

Everything is for its owner only. Refuses a folder for the socket that somebody else made.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from ops_orchestrate.adapters.stack_lock import StackLock
from ops_orchestrate.core.names import clean_text
from ops_orchestrate.errors import OpsError

SOCKET_LIMIT = 90
"""Bytes. The kernel's own limits are 108 (Linux) and 104 (macOS); kombu and redis-py add nothing to it."""
LEAST_FREE = 16_000_000
"""Bytes. With less room on the disk a server would stop in the middle of a run."""
LOG_LIMIT = 5_000_000
"""Bytes of a log of the stack before it is put aside as `.old` when the next keeper starts."""

# What stands in a URL, in the server's configuration and in a socket address without quoting.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9._/+-]+")


@dataclass(frozen=True)
class StateDir:
    """The paths of one data directory's stack."""

    root: Path

    @classmethod
    def at(cls, path: Path) -> StateDir:
        """The state directory at `path`, by its real name: two spellings of it are one stack."""
        return cls(path.resolve())

    @property
    def users_lock(self) -> Path:
        """Held shared by everybody who uses the stack."""
        return self.root / "users.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the keeper."""
        return self.root / "keeper.lock"

    @property
    def server_lock(self) -> Path:
        """Held by the server itself."""
        return self.root / "server.lock"

    @property
    def server(self) -> Path:
        """The server's working directory, with its append-only file."""
        return self.root / "server"

    @property
    def run(self) -> Path:
        """What belongs to the running stack."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """Logs of keeper, server and workers."""
        return self.root / "logs"

    def log(self, name: str) -> Path:
        """The log of one of them."""
        return self.logs / f"{name}.log"

    def prepare(self) -> None:
        """Make the folders, closed to others. Raises OpsError naming the folder and the remedy."""
        try:
            str(self.root).encode()
        except UnicodeEncodeError as error:
            raise OpsError(f"The path {self.root!a} is not valid UTF-8. Set OPS_DATA_DIR to another folder.") from error
        for folder in (self.root, self.server, self.run, self.logs):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if folder != self.root:
                    folder.chmod(0o700)
            except OSError as error:
                raise cannot_write(folder, error) from error
        self.refuse_full_disk()

    def refuse_full_disk(self) -> None:
        """Raises OpsError if the disk has no room."""
        free = shutil.disk_usage(self.root).free
        if free < LEAST_FREE:
            raise OpsError(
                f"The disk that holds {self.root} is full ({free // 1000} kB free). Free some space; "
                f"{LEAST_FREE // 1_000_000} MB are the least."
            )

    def lock(self, path: Path) -> StackLock:
        """Open one of the locks. Raises OpsError naming the file and the remedy."""
        try:
            return StackLock(path)
        except OSError as error:
            raise cannot_write(path, error) from error

    def write(self, path: Path, text: str) -> None:
        """Write a file for the owner only, whole or not at all. Raises OpsError."""
        new = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            new.touch(mode=0o600)
            new.write_text(text, encoding="utf-8")
            new.replace(path)
        except OSError as error:
            raise cannot_write(path, error) from error
        finally:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)

    def read(self, path: Path) -> str | None:
        """The text of a file of ours; None where there is none."""
        try:
            return path.read_text(encoding="utf-8")
        except OSError:
            return None

    def log_size(self, name: str) -> int:
        """How many bytes a log has: where the next one to write begins."""
        log = self.log(name)
        return log.stat().st_size if log.exists() else 0

    def tail(self, name: str, *, after: int = 0, lines: int = 12) -> str:
        """The last lines of what a log got since it had `after` bytes, cleaned."""
        try:
            data = self.log(name).read_bytes()[after:]
        except OSError:
            return ""
        return "\n".join(clean_text(data[-8000:].decode("utf-8", "replace")).splitlines()[-lines:])

    def put_logs_aside(self) -> None:
        """Rename logs that have grown too long; one older generation is kept."""
        for log in self.logs.glob("*.log"):
            if log.stat().st_size > LOG_LIMIT:
                log.replace(log.with_suffix(".old"))

    def socket(self) -> Path:
        """Where the server listens: here, or in a short folder if the path is too long or odd for a URL."""
        direct = self.run / "s.sock"
        if len(os.fsencode(direct)) < SOCKET_LIMIT and _PLAIN_PATH.fullmatch(str(direct)):
            return direct
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        # Not TMPDIR: that may be long itself.
        return Path("/tmp") / f"ops-{os.getuid()}-{digest}" / "s.sock"  # noqa: S108 - checked by socket_folder

    def socket_folder(self) -> Path:
        """Make the socket's folder; refuse one that is not ours alone. Raises OpsError."""
        folder = self.socket().parent
        if folder == self.run:
            return folder
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            seen = folder.lstat()
        except OSError as error:
            raise cannot_write(folder, error) from error
        if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.getuid() or seen.st_mode & 0o077:
            raise OpsError(
                f"{folder}, the folder for the server's socket, is not a private folder of this user. "
                "Remove it, or set OPS_DATA_DIR to a shorter path."
            )
        return folder

    def remove_socket_folder(self) -> None:
        """Remove the short folder if one was made."""
        folder = self.socket().parent
        if folder == self.run:
            return
        self.socket().unlink(missing_ok=True)
        try:
            folder.rmdir()
        except OSError:
            return  # never made, or something else is in it


def cannot_write(path: Path, error: OSError) -> OpsError:
    """The error for a path that cannot be written, with its remedy."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return OpsError(f"{path} cannot be written: the disk is full. Free some space and start again.")
    return OpsError(
        f"{path} cannot be written: {error.strerror}. Make it writable, or set OPS_DATA_DIR to another folder."
    )
