"""Plays the steps of a playbook, inside the sandbox. A script with the standard library only.

It trusts its steps (a person wrote them) and holds back nothing: whatever an agent might do wrong, a playbook
can order. A step that fails ends it with exit code 1.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_REPORT = frozenset({"task", "status", "summary", "hand_over", "question", "cost_usd", "tokens"})
STEPS: dict[str, frozenset[str]] = {
    "write": frozenset({"path", "text"}),
    "append": frozenset({"path", "text"}),
    "delete": frozenset({"path"}),
    "symlink": frozenset({"path", "target"}),
    "run": frozenset({"argv"}),
    "commit": frozenset({"message"}),
    "say": frozenset({"text", "hex"}),
    "report": _REPORT,
    "raw_report": frozenset({"text"}),
    "answer": frozenset({"verdict", "summary", "findings", "why", "parts", "before", "after"}),
    "copy_brief": frozenset({"path", "field"}),
    "copy_mail": frozenset({"field", "seconds"}),
    "sleep": frozenset({"seconds"}),
    "work": frozenset({"seconds"}),
    "hang": frozenset(),
    "ignore_signals": frozenset(),
    "finish_on_interrupt": frozenset(),
    "daemonize": frozenset({"seconds"}),
    "flood": frozenset({"bytes"}),
    "allocate": frozenset({"bytes"}),
    "exit": frozenset({"code"}),
    "crash": frozenset({"signal"}),
}
"""Every step and its arguments."""


class Player:
    """The steps as methods, named `do_<step>`."""

    def __init__(self, brief: str) -> None:
        self._brief = brief
        self._extra: dict[str, str] = {}

    def play(self, steps: list[dict[str, dict[str, Any]]]) -> None:
        """One step after the other."""
        for step in steps:
            for name, arguments in step.items():
                action: Callable[..., None] = getattr(self, f"do_{name}")
                action(**arguments)

    def do_write(self, path: str, text: str = "") -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")

    def do_append(self, path: str, text: str) -> None:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)

    def do_delete(self, path: str) -> None:
        Path(path).unlink()

    def do_symlink(self, path: str, target: str) -> None:
        Path(path).symlink_to(target)

    def do_run(self, argv: list[str]) -> None:
        """Run a command; its failure is ours."""
        sys.stdout.flush()
        pid = os.posix_spawnp(argv[0], argv, os.environ)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if code:
            raise OSError(f"{argv[0]} ended with {code}")

    def do_commit(self, message: str) -> None:
        self.do_run(["git", "add", "--all"])
        self.do_run(["git", "commit", "--quiet", "--message", message])

    def do_say(self, text: str = "", hex: str = "") -> None:
        sys.stdout.buffer.write(text.encode() + bytes.fromhex(hex) + b"\n")
        sys.stdout.flush()

    def do_report(self, **fields: Any) -> None:
        self.do_raw_report(json.dumps({"task": os.environ["OPS_TASK"], "status": "done", **self._extra, **fields}))

    def do_raw_report(self, text: str) -> None:
        Path(os.environ["OPS_REPORT"]).write_text(text, encoding="utf-8")

    def do_answer(self, before: str = "", after: str = "", **fields: Any) -> None:
        """Answer a question, naming its mark; `before` and `after` are written around that."""
        found = re.search(r'"mark": "([0-9a-f]+)"', self._brief)
        answer = json.dumps({"mark": found[1] if found else "", **fields})
        self.do_raw_report(before + answer + after)

    def do_copy_brief(self, path: str = "", field: str = "") -> None:
        """The brief into a file, or into a field of the next report."""
        if path:
            self.do_write(path, self._brief)
        if field:
            self._extra[field] = self._brief

    def do_copy_mail(self, field: str, seconds: float = 60) -> None:
        """Wait for the first message, and put it into a field of the next report."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            lines = Path(os.environ["OPS_MAILBOX"]).read_text(encoding="utf-8").splitlines()
            if lines:
                self._extra[field] = json.loads(lines[0])["text"]
                return
            time.sleep(0.05)
        raise OSError("no message came")

    def do_sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def do_work(self, seconds: float) -> None:
        """Use so much of a processor, however long that takes."""
        enough = time.process_time() + seconds
        while time.process_time() < enough:
            sum(range(1000))

    def do_hang(self) -> None:
        while True:
            time.sleep(3600)

    def do_ignore_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)

    def do_finish_on_interrupt(self) -> None:
        """From now on an interrupt is answered with a commit and a report, and exit code 0."""

        def finish(*_: object) -> None:
            self.do_write("interrupted.txt", "kept\n")
            self.do_commit("Keep what there is")
            self.do_report(summary="interrupted")
            raise SystemExit(0)

        signal.signal(signal.SIGINT, finish)

    def do_daemonize(self, seconds: float) -> None:
        """Leave a daemon behind: two forks, a session of its own, deaf to signals."""
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            return
        os.setsid()
        if os.fork():
            os._exit(0)
        self.do_ignore_signals()
        time.sleep(seconds)
        os._exit(0)

    def do_flood(self, bytes: int) -> None:
        line = b"x" * 1023 + b"\n"
        for _ in range(bytes // len(line)):
            sys.stdout.buffer.write(line)
        sys.stdout.flush()

    def do_allocate(self, bytes: int) -> None:
        """Hold that much memory, touched, for the rest of the playbook."""
        self._held = bytearray(b"x") * bytes

    def do_exit(self, code: int) -> None:
        raise SystemExit(code)

    def do_crash(self, signal: int = 9) -> None:
        os.kill(os.getpid(), signal)


def main(file: str) -> None:
    """Read the brief and the steps, and play them."""
    brief = sys.stdin.buffer.read().decode("utf-8", errors="replace")
    steps = json.loads(Path(file).read_text(encoding="utf-8"))
    try:
        Player(brief).play(steps)
    except OSError as error:
        sys.exit(f"player: {error}")


if __name__ == "__main__":
    main(sys.argv[1])
