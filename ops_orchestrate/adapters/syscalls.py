"""What foreign code may not ask the kernel for: a seccomp filter for bubblewrap, made here as the kernel reads it.

Namespaces leave some doors open. A virtual machine's socket family (vsock) leads to the hypervisor whatever the
network namespace is; the session's keyring is inherited by whatever is started in it; io_uring opens sockets without
asking. Those, and what only reaches deep into the kernel, answer as if they were not there. Ordinary programs, git,
compilers and package managers among them, use none of it.
"""

from __future__ import annotations

import os
import platform
import struct
from functools import lru_cache
from typing import NamedTuple

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER, _ARCH, _FIRST, _SECOND = 0, 4, 16, 24
_EPERM, _ENOSYS, _EAFNOSUPPORT = 1, 38, 97
_X32 = 0x40000000
_FAMILIES = (1, 2, 10, 16)
"""Unix, IPv4, IPv6, netlink (which glibc asks for the addresses of this machine)."""
_TYPE_INTO_TERMINAL = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX


class _Machine(NamedTuple):
    arch: int
    socket: int
    ioctl: int
    keys: tuple[int, ...]
    """add_key, request_key, keyctl."""
    deep: tuple[int, ...]
    """bpf, perf_event_open, userfaultfd, io_uring_setup, io_uring_enter, io_uring_register."""


_MACHINES = {
    "x86_64": _Machine(0xC000003E, 41, 16, (248, 249, 250), (321, 298, 323, 425, 426, 427)),
    "aarch64": _Machine(0xC00000B7, 198, 29, (217, 218, 219), (280, 241, 282, 425, 426, 427)),
}


def program(machine: str | None = None) -> bytes | None:
    """The filter for this machine; None for a kind of machine whose numbers are not known here."""
    known = _MACHINES.get(machine or platform.machine())
    if known is None:
        return None
    steps = [(_LOAD, 0, 0, _ARCH), (_EQUAL, 1, 0, known.arch), _no(_ENOSYS), (_LOAD, 0, 0, _NUMBER)]
    steps += [(_AT_LEAST, 0, 1, _X32), _no(_ENOSYS)]  # the same calls under other numbers
    for number in known.keys:
        steps += [(_EQUAL, 0, 1, number), _no(_EPERM)]
    for number in known.deep:
        steps += [(_EQUAL, 0, 1, number), _no(_ENOSYS)]
    ioctl = [(_LOAD, 0, 0, _SECOND)]
    for request in _TYPE_INTO_TERMINAL:
        ioctl += [(_EQUAL, 0, 1, request), _no(_EPERM)]
    steps += _only(known.ioctl, [*ioctl, (_RETURN, 0, 0, _ALLOW)])
    families = [(_LOAD, 0, 0, _FIRST)]
    for family in _FAMILIES:
        families += [(_EQUAL, 0, 1, family), (_RETURN, 0, 0, _ALLOW)]
    steps += _only(known.socket, [*families, _no(_EAFNOSUPPORT)])
    return b"".join(struct.pack("=HBBI", *step) for step in [*steps, (_RETURN, 0, 0, _ALLOW)])


@lru_cache(maxsize=1)
def program_file() -> int | None:
    """A file in memory that holds the filter, open in this process for as long as it lives."""
    made = program()
    if made is None:
        return None
    file = os.memfd_create("ops-seccomp", os.MFD_CLOEXEC)
    os.write(file, made)
    return file


def _no(error: int) -> tuple[int, int, int, int]:
    return (_RETURN, 0, 0, _ERRNO | error)


def _only(number: int, steps: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """These steps for that call alone; they end it."""
    return [(_EQUAL, 0, len(steps), number), *steps]
