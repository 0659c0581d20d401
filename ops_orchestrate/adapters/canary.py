"""Tries to get out of the sandbox it is started in, and says as one line of JSON what it managed to do.

Run as a script with the standard library only. It changes nothing but the file it is told to write.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

INSIDE = "writes-inside"
WRITE = "writes-file"
VSOCK = "opens-vsock"


def reads(secret: str) -> bool:
    """A file outside can be read."""
    return bool(Path(secret).read_text(encoding="utf-8"))


def writes(target: str) -> bool:
    """A file outside can be written."""
    return Path(target).write_text("the canary was here", encoding="utf-8") > 0


def sees_variable(token: str) -> bool:
    """The planted variable is in some process's environment, our own or pid 1's for instance."""
    return _anywhere("environ", token)


def sees_process(token: str) -> bool:
    """The planted process is in the process list."""
    return _anywhere("cmdline", token)


def connects(port: str) -> bool:
    """A listener on the host's loopback can be reached."""
    with socket.create_connection(("127.0.0.1", int(port)), timeout=2):
        return True


def connects_unix(address: str) -> bool:
    """A Unix socket of the host can be reached; `@` in front is one without a file."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        client.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        return True


def opens_vsock(_: str) -> bool:
    """A socket to the hypervisor can be had."""
    with socket.socket(getattr(socket, "AF_VSOCK", 40), socket.SOCK_STREAM):
        return True


def _anywhere(name: str, token: str) -> bool:
    ours = {str(os.getpid()), "self", "thread-self"} if name == "cmdline" else set()
    wrapper = {"1"} if os.getppid() == 1 and name == "cmdline" else set()  # its argv is how we got the token
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name not in ours | wrapper and token.encode() in (process / name).read_bytes():
                return True
    return False


def main(arguments: list[str]) -> None:
    """Try everything; a try that fails with an error of the system has failed."""
    secret, target, variable, process, port, inside, home, borrowed, abstract, plain, *services = arguments
    tries: dict[str, tuple[Callable[[str], bool], str]] = {
        "reads-file": (reads, secret),
        WRITE: (writes, target),
        "sees-variable": (sees_variable, variable),
        "sees-process": (sees_process, process),
        "connects": (connects, port),
        "reads-home": (reads, home),
        "writes-borrowed": (writes, borrowed),
        "connects-abstract": (connects_unix, abstract),
        "connects-socket": (connects_unix, plain),
        VSOCK: (opens_vsock, ""),
        **{f"connects-{service}": (connects_unix, service) for service in services},
        INSIDE: (writes, inside),
    }
    managed = []
    for name, (attempt, argument) in tries.items():
        with suppress(OSError):
            managed += [name] if attempt(argument) else []
    sys.stdout.write(json.dumps(managed) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
