"""The filter of system calls: what it says to each, on each kind of machine, and that the kernel takes it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from ops_orchestrate.adapters.process import run
from ops_orchestrate.adapters.sandbox import SandboxSpec, environment, interpreter, wrap
from ops_orchestrate.adapters.syscalls import program
from tests.adapters.foreign import needs_sandbox

ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97


def answer(machine: str, number: int, first: int = 0, second: int = 0, arch: int | None = None) -> int:
    """What the filter makes of a call: 0, or an error. A small machine that reads it as the kernel does."""
    made = program(machine)
    assert made is not None
    steps = list(struct.iter_unpack("=HBBI", made))
    data = struct.pack("=IIQQQ", number, ARCH[machine] if arch is None else arch, 0, first, second)
    value = at = 0
    while True:
        code, yes, no, given = steps[at]
        at += 1
        if code == 0x20:
            value = struct.unpack_from("=I", data, given)[0]
        elif code in (0x15, 0x35):
            at += yes if (value == given if code == 0x15 else value >= given) else no
        else:
            assert code == 0x06
            return 0 if given == 0x7FFF0000 else given & 0xFFFF


@pytest.mark.parametrize(
    ("machine", "numbers"),
    [
        ("x86_64", {"read": 0, "keyctl": 250, "add_key": 248, "io_uring_setup": 425, "bpf": 321}),
        ("aarch64", {"read": 63, "keyctl": 219, "add_key": 217, "io_uring_setup": 425, "bpf": 280}),
    ],
)  # fmt: skip
def test_what_it_answers(machine: str, numbers: dict[str, int]) -> None:
    assert answer(machine, numbers["read"]) == 0
    assert answer(machine, numbers["keyctl"]) == answer(machine, numbers["add_key"]) == EPERM
    assert answer(machine, numbers["io_uring_setup"]) == answer(machine, numbers["bpf"]) == ENOSYS
    assert answer(machine, numbers["read"], arch=0x40000003) == ENOSYS, "the numbers of a 32-bit program"
    assert answer(machine, numbers["read"] | 0x40000000) == ENOSYS, "the numbers of x32"


@pytest.mark.parametrize("machine", ARCH)
def test_families_of_sockets(machine: str) -> None:
    socket = {"x86_64": 41, "aarch64": 198}[machine]
    assert [answer(machine, socket, family) for family in (1, 2, 10, 16)] == [0] * 4
    assert {answer(machine, socket, family) for family in (0, 17, 31, 38, 40, 44)} == {EAFNOSUPPORT}
    # The kernel takes the lower half of the argument; so does the filter.
    assert answer(machine, socket, (1 << 32) + 40) == EAFNOSUPPORT


@pytest.mark.parametrize("machine", ARCH)
def test_nobody_types_into_the_terminal(machine: str) -> None:
    ioctl = {"x86_64": 16, "aarch64": 29}[machine]
    assert answer(machine, ioctl, 0, 0x5412) == answer(machine, ioctl, 0, 0x541C) == EPERM
    assert answer(machine, ioctl, 0, 0x5413) == 0, "asking for its size is fine"


def test_a_machine_that_is_not_known_has_none() -> None:
    assert program("riscv64") is None


@needs_sandbox
def test_the_kernel_takes_it_and_ordinary_programs_work(tmp_path: Path) -> None:
    words = (
        "import ctypes, errno, os, platform, socket, threading, ssl, subprocess\n"
        "number = {'x86_64': 425, 'aarch64': 425}[platform.machine()]\n"
        "print(ctypes.CDLL(None, use_errno=True).syscall(number, 1, 0), ctypes.get_errno() == errno.ENOSYS)\n"
        "for family in (socket.AF_VSOCK, 38):\n"
        "    try: socket.socket(family, socket.SOCK_STREAM)\n"
        "    except OSError as error: print(error.errno == errno.EAFNOSUPPORT)\n"
        "socket.create_server(('127.0.0.1', 0)); socket.socketpair()\n"
        "print(socket.getaddrinfo('localhost', 80)[0][4][0] in ('127.0.0.1', '::1'))\n"
        "print(open('/proc/self/status').read().count('Seccomp:\\t2'))"
    )
    spec = SandboxSpec(tmp_path, write=(tmp_path,))
    ended = run(wrap([*interpreter(), "-c", words], spec), cwd="/", env=environment(spec), timeout=30, keep=10_000)
    assert ended.output.decode().split() == ["-1", "True", "True", "True", "True", "1"], ended.output_tail
