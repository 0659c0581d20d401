"""The one door to git: GitPython's executor, with a clean environment, fixed options and a time limit.

Refuses: the user's and the system's configuration (but for fetch and push, which need the user's credential
helpers), hooks, fsmonitor, an attributes file outside the repository, transports that run programs, prompts,
and anything inherited from a surrounding git command (`GIT_DIR` and its kin). GitPython's repository objects
are never used: they read a repository's own configuration, and agents write those.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ops_orchestrate.adapters.process import REAP, end_of
from ops_orchestrate.config import Settings
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.remote import strip_credentials
from ops_orchestrate.errors import GitError

_KEPT = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_KEPT_FOR_NETWORK = (
    *("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY"),
    *("SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS", "GIT_ASKPASS", "GIT_SSH", "GIT_SSH_COMMAND"),
    *("GIT_CONFIG_GLOBAL", "GIT_SSL_CAINFO", "SSL_CERT_FILE", "SSL_CERT_DIR", "GNUPGHOME", "KRB5CCNAME"),
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
)
_FIXED = {
    "LC_ALL": "C",
    "LANGUAGE": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ALLOW_PROTOCOL": "https:ssh:file",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
}
_OPTIONS = (
    *("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.attributesFile=/dev/null"),
    *("protocol.ext.allow=never", "protocol.file.allow=always"),
    # Names that git folders have on other systems are refused here too: others will check this out.
    *("core.protectHFS=true", "core.protectNTFS=true"),
    *("submodule.recurse=false", "fetch.recurseSubmodules=false", "push.recurseSubmodules=no"),
    *("gc.auto=0", "maintenance.auto=false", "color.ui=false", "core.quotePath=false"),
)
MAX_OUTPUT = 64_000_000
"""Bytes of output that one command may produce where its caller sets no other limit."""
_MAX_ERRORS = 64_000
_OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REJECTED = re.compile(r"\[(?:remote )?rejected\] \((?P<why>.*)\)")
_TELLING = ("fatal: ", "error: ", "remote: error: ")


class Access(Protocol):
    """Who may fetch from and push to where: credentials that are not the user's own configuration."""

    def environment(self, url: str) -> Mapping[str, str]:
        """Variables for one git command that talks to `url`; none where it needs nothing of ours.

        Raises SourceUnavailable where it must not be asked without them.
        """


class NoAccess:
    """Only what the user's own configuration and agents give."""

    def environment(self, url: str) -> Mapping[str, str]:
        """Nothing."""
        del url
        return {}


@dataclass(frozen=True, slots=True)
class Answer:
    """What one git command said."""

    code: int
    out: bytes
    err: str
    cut: bool = False
    """The output was larger than the limit; `out` holds its beginning."""

    @property
    def text(self) -> str:
        """The output as printable text without surrounding white space."""
        return printable(self.out).strip()

    @property
    def items(self) -> list[bytes]:
        """The parts of NUL-separated output."""
        return [item for item in self.out.split(b"\0") if item]


class Git:
    """Runs git commands. Holds no state but the settings; safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def run(
        self,
        *args: str | bytes | Path,
        repo: Path | None = None,
        tree: Path | None = None,
        at: Path | None = None,
        options: tuple[str, ...] = (),
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        ok: tuple[int, ...] = (0,),
        limit: int = MAX_OUTPUT,
        cut_ok: bool = False,
        network: bool = False,
        slow: bool = False,
    ) -> Answer:
        """Run `git args…` on the git folder `repo`, with the work tree `tree` where one is named; or in
        the user's checkout `at`, where git may look for the folder itself.

        `options` are further `-c` settings, `ok` the exit codes that are no error. With `network` the user's
        own configuration and agents (ssh, credentials) are seen. Both it and `slow` get the time of a fetch.
        Raises GitError: another exit code, no git, out of time, more output than `limit` (unless `cut_ok`).
        """
        seconds = self._settings.fetch_timeout if network or slow else self._settings.git_timeout
        where = [f"--git-dir={repo}"] if repo else []
        if tree:
            where += [f"--work-tree={tree}"]
            options = ("core.bare=false", *options)
        if at:
            where = ["-C", str(at)]
        settings = [word for option in (*_OPTIONS, *options) for word in ("-c", option)]
        argv = ["git", "--no-pager", *where, *settings, *(os.fsdecode(arg) for arg in args)]
        name = os.fsdecode(args[0])
        answer = _execute(
            name,
            argv=argv,
            cwd=tree or repo,
            env=_environment(env or {}, network),
            stdin=stdin,
            limit=limit,
            seconds=seconds,
        )
        if answer.cut and not cut_ok:
            raise GitError(f"git {name}: more than {limit} bytes of output; the repository is too large for this step")
        if answer.code not in ok and not answer.cut:
            raise GitError(f"git {name}: {last_words(answer.err) or f'exit code {answer.code}'}")
        return answer


def object_id(text: str) -> str:
    """`text` if it is a full object id, so that it can be neither an option nor a revision's expression.

    Raises GitError.
    """
    if not _OBJECT_ID.fullmatch(text):
        raise GitError(f"{one_line(text, 80)!r} is not a full commit id")
    return text


def printable(raw: bytes) -> str:
    """Bytes from git as text that every later step can store: what is not UTF-8 becomes `\\xNN`."""
    return raw.decode("utf-8", "backslashreplace")


def strip_userinfo(text: str) -> str:
    """`text` with the user and password of every URL in it removed."""
    return strip_credentials(text)


def last_words(err: str) -> str:
    """What git says last, and the error that led to it: one harmless line, without credentials."""
    lines = [line.strip() for line in err.splitlines() if line.strip() and not line.startswith("hint:")]
    telling = [line for line in lines if line.startswith(_TELLING)] or lines[-1:]
    causes = [line for line in telling[:-1] if line.startswith("error: ")][:1]
    return one_line(strip_userinfo("; ".join([*causes, *telling[-1:]])))


def rejection(answer: Answer) -> tuple[str, str]:
    """Why upstream rejected a push, and the same with what its hooks said to it. Text from outside, not yet cleaned."""
    found = _REJECTED.search(answer.text)
    why = found["why"] if found else last_words(answer.err)
    said = [line.removeprefix("remote:").strip() for line in answer.err.splitlines() if line.startswith("remote:")]
    words = " ".join(word for word in said if word)
    return why, why + (f" ({words})" if words else "")


def _environment(extra: Mapping[str, str], network: bool) -> dict[str, str]:
    kept = (*_KEPT, *_KEPT_FOR_NETWORK) if network else _KEPT
    clean = {name: os.environ[name] for name in kept if name in os.environ}
    if not network:
        clean["GIT_CONFIG_GLOBAL"] = os.devnull
    return {**clean, **_FIXED, **extra}


def _execute(
    name: str,
    *,
    argv: list[str],
    cwd: Path | None,
    env: dict[str, str],
    stdin: bytes,
    limit: int,
    seconds: float,
) -> Answer:
    # GitPython starts from a copy of our whole environment and can only add to it, so `env -u` takes the rest
    # away: names only, no value ever stands in an argument list.
    unset = [word for key in os.environ if key not in env for word in ("-u", key)]
    with tempfile.TemporaryFile() if stdin else contextlib.nullcontext() as feed:
        if feed:
            feed.write(stdin)
            feed.seek(0)
        held = _start(["env", *unset, *argv], cwd or Path("/"), env, feed)
    process, end = held.proc, time.monotonic() + seconds
    errors = bytearray()
    listener = threading.Thread(target=_listen, args=(process.stderr.fileno(), errors), daemon=True)
    listener.start()
    try:
        out = _output(process.stdout.fileno(), limit, end)
        cut = out is not None and len(out) > limit
        code = None if out is None or cut else end_of(process, end - time.monotonic())
    finally:
        if process.returncode is None:
            _kill_group(process.pid)
            if end_of(process, REAP) is None:
                held.proc = None  # GitPython would wait for it without end
        # A connection that ssh keeps open in the background holds this pipe: its end is not ours to wait for.
        listener.join(1.0)
    if out is None or (code is None and not cut):
        raise GitError(f"git {name} took longer than {seconds:g} s and was stopped")
    said = bytes(errors).decode("utf-8", "backslashreplace")
    return Answer(-signal.SIGKILL if code is None else code, out[:limit], said, cut)


def _start(argv: list[str], cwd: Path, env: dict[str, str], feed: Any) -> Any:
    try:
        from git.cmd import Git as Command  # takes 190 ms, and most commands never touch git
        from git.exc import GitCommandNotFound  # as above
    except ImportError:  # GitPython looks for git while it is imported
        raise GitError("git is not installed or not on PATH") from None
    try:
        # A session of its own: Ctrl-C at the terminal is ours to handle, a time limit ends the whole group.
        return Command(str(cwd)).execute(argv, istream=feed, as_process=True, env=env, start_new_session=True)
    except (GitCommandNotFound, OSError) as error:
        raise GitError(f"git cannot be started: {one_line(str(error))}") from None


def _listen(fd: int, errors: bytearray) -> None:
    with contextlib.suppress(OSError):
        while chunk := os.read(fd, 65_536):
            errors += chunk
            del errors[:-_MAX_ERRORS]


def _output(fd: int, limit: int, end: float) -> bytes | None:
    """All that it prints, or a little more than `limit`; None where it has not ended in time.

    Something that it left behind, out of reach of its limit, may hold the pipe for as long as it likes.
    """
    out = bytearray()
    ready = select.poll()
    ready.register(fd, select.POLLIN)
    while len(out) <= limit:
        if not ready.poll(1000 * max(0.0, end - time.monotonic())):
            return None
        if not (piece := os.read(fd, 65_536)):
            break
        out += piece
    return bytes(out)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
