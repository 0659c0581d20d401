"""Bubblewrap: what foreign code may see, write and reach. Nothing, except what is listed here.

Bubblewrap is started with exactly the variables that the code inside may have: `--clearenv` would leave the
caller's in /proc/1/environ, and `--setenv` shows them in the process list. No user's folder, no socket and no
process of the host is visible inside; network only where it is asked for. A sandbox is believed only after
a canary inside it has failed to get out (`probe`); without one nothing starts, unless the owner opted out.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from ops_orchestrate.adapters import bridge, canary
from ops_orchestrate.adapters.door import Door
from ops_orchestrate.adapters.process import run
from ops_orchestrate.adapters.syscalls import program_file
from ops_orchestrate.adapters.trap import Trap, service_sockets
from ops_orchestrate.config import Settings
from ops_orchestrate.errors import SandboxUnavailable

WRAPPERS = 2
"""Processes of bubblewrap between the one that starts it and the program inside."""
TMPFS_MB = 1024
_REMEDY = (
    "Install bubblewrap (`apt install bubblewrap`). Where it is installed, user namespaces may be forbidden: "
    "on Ubuntu `sysctl kernel.apparmor_restrict_unprivileged_userns=0` or a profile for bwrap allows them. "
    "OPS_UNSANDBOXED_OK=1 runs agents and gates without a sandbox, and every report says so."
)
_ETC = [
    *("passwd", "group", "nsswitch.conf", "hosts", "localtime", "mime.types", "alternatives"),
    *("ssl", "pki", "ca-certificates", "ld.so.conf", "ld.so.conf.d", "ld.so.cache"),
]
_ROOM = "/run/ops"
"""Inside: where doors and the bridge are."""
_TMP, _SHARED = "/tmp", "/dev/shm"  # noqa: S108 - the sandbox's own, empty at its start
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_known: dict[tuple[object, ...], SandboxProbe] = {}


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """One program's surroundings."""

    cwd: Path
    write: tuple[Path, ...] = ()
    """Folders it may change; they exist."""
    read: tuple[Path, ...] = ()
    """Files and folders it may read beside the system's; missing ones are left out."""
    env: dict[str, str] = field(default_factory=dict)
    """Variables beside the base ones of `environment`, and winning over them."""
    network: bool = False
    """Whether it shares the host's network; without it, `doors` are the only way out."""
    doors: tuple[Door, ...] = ()
    """Sockets of ours that it reaches as ports of its own loopback."""


@dataclass(frozen=True, slots=True)
class SandboxProbe:
    """What the canary found."""

    ok: bool
    detail: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Confined:
    """What to start, and with which environment."""

    argv: tuple[str, ...]
    env: dict[str, str]
    unsandboxed: bool
    wrappers: int
    """Processes between the one that starts it and the program itself."""
    helpers: int = 0
    """Processes of ours beside the program, in its room."""
    write: tuple[Path, ...] = ()
    """Where it may write: what is measured."""


def confine(argv: Sequence[str], spec: SandboxSpec, settings: Settings) -> Confined:
    """`argv` for the sandbox; plain, with the same environment, only where the owner has opted out.

    Raises SandboxUnavailable, with the remedy, where no sandbox works.
    """
    spec = replace(spec, read=(*spec.read, *settings.sandbox_read))
    env = environment(spec)
    found = probe(settings)
    if found.ok:
        helpers = 1 if spec.doors else 0
        return Confined(tuple(wrap(argv, spec)), env, False, WRAPPERS, helpers, spec.write)
    if settings.unsandboxed_ok:
        return Confined(tuple(argv), env, unsandboxed=True, wrappers=0, write=spec.write)
    raise SandboxUnavailable(f"No sandbox works here: {found.detail}. {_REMEDY}")


def isolated(settings: Settings, *, network: bool) -> bool:
    """Whether a program gets a network of its own, with doors in it, and not the host's."""
    return probe(settings).ok and not network


def environment(spec: SandboxSpec) -> dict[str, str]:
    """Every variable of the program: nothing is inherited."""
    path = [f"{prefix}/bin" for prefix in prefixes()] + ["/usr/local/bin", "/usr/bin", "/bin"]
    base = {"PATH": ":".join(dict.fromkeys(path)), "HOME": _TMP, "TMPDIR": _TMP, "LANG": "C.UTF-8"}
    return base | {"PYTHONDONTWRITEBYTECODE": "1", "GIT_TERMINAL_PROMPT": "0"} | spec.env


def prefixes() -> list[Path]:
    """Where the interpreter that runs us lives, its environment first: `python3` inside is the same one."""
    real = Path(sys.executable).resolve().parent.parent
    found = dict.fromkeys([Path(sys.prefix), Path(sys.base_prefix), real])
    return [path for path in found if path not in Path.home().parents and path != Path.home()]


def wrap(argv: Sequence[str], spec: SandboxSpec) -> list[str]:
    """The command line of bubblewrap for `argv`. It holds paths, never values of variables.

    Raises SandboxUnavailable where bubblewrap is not installed.
    """
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise SandboxUnavailable(f"bwrap is not on the PATH. {_REMEDY}")
    flags = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    flags += ["--share-net"] if spec.network else []
    mounts = [*_system(spec.network), *_shown(spec), *_doors(spec), "--remount-ro", "/"]
    return [*_filtered(bwrap), *flags, *mounts, "--chdir", str(spec.cwd), "--", *_bridged(argv, spec)]


def _filtered(bwrap: str) -> list[str]:
    """Bubblewrap with our filter of system calls, which it takes from an open file.

    A shell opens that and becomes bubblewrap, so that it needs to pass through none of the processes between.
    """
    program = program_file()
    if program is None:
        return [bwrap]
    return ["/bin/sh", "-c", 'exec "$@" 9<"$0"', f"/proc/{os.getpid()}/fd/{program}", bwrap, "--seccomp", "9"]


def _doors(spec: SandboxSpec) -> Iterable[str]:
    if spec.doors:
        yield from ("--ro-bind", bridge.__file__, f"{_ROOM}/bridge.py")
    for door in spec.doors:
        yield from ("--ro-bind", str(door.socket), f"{_ROOM}/{door.port}")


def _bridged(argv: Sequence[str], spec: SandboxSpec) -> list[str]:
    if not spec.doors:
        return list(argv)
    ports = [f"{door.port}={_ROOM}/{door.port}" for door in spec.doors]
    return [*interpreter(), f"{_ROOM}/bridge.py", *ports, "--", *argv]


def _system(network: bool) -> Iterable[str]:
    """The system's programs read-only; everything else empty, and nothing writable that is not bounded."""
    yield from ("--ro-bind", "/usr", "/usr")
    for name in _SYSTEM:
        path = Path(name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), name)
        elif path.is_dir():
            yield from ("--ro-bind", name, name)
    for name in (*_ETC, "resolv.conf") if network else _ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    yield from ("--proc", "/proc", "--dev", "/dev")
    for mount in (_SHARED, _TMP):
        yield from ("--size", str(TMPFS_MB << 20), "--tmpfs", mount)
    yield from ("--remount-ro", "/dev")
    for folder in ("/home", "/root", "/run", "/var"):
        yield from ("--dir", folder)
    yield from ("--symlink", _TMP, f"/var{_TMP}")


def _shown(spec: SandboxSpec) -> Iterable[str]:
    """What this program may read and write; a path below another one comes after it and wins."""
    read = [path for path in (*prefixes(), *spec.read) if path.exists() and not path.is_relative_to("/usr")]
    flags = dict.fromkeys(map(_absolute, read), "--ro-bind")
    flags |= dict.fromkeys(map(_absolute, spec.write), "--bind")
    for path in sorted(flags, key=lambda path: len(path.parts)):
        above = next((flags[folder] for folder in path.parents if folder in flags), "")
        if above != flags[path]:  # what is shown already must not be mounted on: it may be a link
            yield from (flags[path], str(path), str(path))


def _absolute(path: Path) -> Path:
    return Path(os.path.normpath(path if path.is_absolute() else Path.cwd() / path))


def probe(settings: Settings) -> SandboxProbe:
    """Whether the sandbox holds: a canary in it tries to get out. A good answer is kept for this process."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return SandboxProbe(False, "bwrap is not on the PATH")
    key = (bwrap, settings.sandbox_read)
    if key not in _known:
        found = _probe(bwrap, settings)
        if not found.ok:
            return found
        _known[key] = found
    return _known[key]


def _probe(bwrap: str, settings: Settings) -> SandboxProbe:
    version = run([bwrap, "--version"], cwd="/", env={}, timeout=10).output_tail.strip()
    script = Path(canary.__file__)
    with Trap(service_sockets(_own_sockets(settings))) as trap:
        spec = SandboxSpec(trap.inside, write=(trap.inside,), read=(trap.borrowed, script, *settings.sandbox_read))
        argv = [*interpreter(), str(script), *trap.arguments]
        ended = run(wrap(argv, spec), cwd="/", env=environment(spec), timeout=30)
        leaks = trap.leaks(ended.output_tail)
    if leaks is None:
        return SandboxProbe(False, f"the canary did not run: {ended.output_tail[-300:].strip()}", version)
    if leaks:
        return SandboxProbe(False, "the canary got out: " + ", ".join(leaks), version)
    return SandboxProbe(True, "the canary found no way out", version)


def _own_sockets(settings: Settings) -> Iterable[Path]:
    """Where the servers of our own queue and ledger are, if that is a socket."""
    urls = settings.urls
    for url in (urls.broker, urls.results, urls.ledger) if urls else ():
        if url.startswith("unix://"):
            yield Path(urlsplit(url).path)


def interpreter() -> list[str]:
    """The interpreter that runs us, for scripts of the standard library alone."""
    return [sys.executable, "-I", "-S"]
