"""A tree for an attempt: the first one in a repository, and the next ones, which find a spare tree."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.figure import Effort, Result, Row, median, spread
from ops_orchestrate.adapters.workshop import GitWorkshop
from ops_orchestrate.config import Settings
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.project import Repository
from tests.repos import ENV


def measure(effort: Effort) -> Result:
    """Repositories of three sizes, each with one commit more before every tree but the first."""
    sizes = [5] if effort.small else [20, 2_000, 20_000]
    rounds = 1 if effort.small else effort.rounds
    rows, data = [], {}
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="bench") as home:
            shop = _Shop(Path(home), size)
            first, plain = shop.prepare(), shop.reference()
            warm, discarded = [], []
            for _ in range(rounds):
                shop.advance()
                warm.append(shop.prepare())
                discarded.append(shop.discard())
            limit = size != 20_000
            rows.append(
                Row(
                    f"tree of {size:,} files",
                    "stated" if limit else "warm ≤ 0.5 s",
                    f"first {first * 1000:,.0f} ms, next {spread([1000 * one for one in warm], ' ms', 0)}",
                    f"git worktree add {plain * 1000:,.0f} ms",
                    met=None if limit else median(warm) <= 0.5,
                )
            )
            data[str(size)] = {"first": first, "warm": warm, "discarded": discarded, "worktree": plain}
    told = (
        "From the base's commit to a tree in which an agent may be started, one commit after the one before. The first "
        "is a new clone that borrows objects; from a thousand files on the next is a spare that was made meanwhile, in "
        "which nobody has worked yet. How long that took is not counted: an agent works for minutes."
    )
    return Result("tree", rows, told, data)


class _Shop:
    """One repository, its mirror, and an attempt after the other."""

    def __init__(self, home: Path, files: int) -> None:
        self._bare, self._home, self._count = home / "up.git", home, 0
        self._git("init", "--quiet", "--bare", "--initial-branch=dev", str(self._bare))
        self._import(files)
        self._repo = Repository(key="r", name="r", path=str(self._bare), upstream=str(self._bare))
        self._work = GitWorkshop(home / "state", Settings(data_dir=home / "state"))
        self._work.refresh(self._repo)

    def prepare(self) -> float:
        """Seconds to the next tree; its spare is then waited for."""
        self._count += 1
        self._key = StageKey(run="r1", task="t", attempt=self._count, fence=self._count)
        head = self._work.head(self._repo, "dev")
        assert head
        began = time.perf_counter()
        self._work.prepare(self._repo, self._key, head)
        took = time.perf_counter() - began
        for thread in threading.enumerate():
            if thread.name == "spare-r":
                thread.join(60)
        return took

    def discard(self) -> float:
        """Seconds to remove the newest tree."""
        began = time.perf_counter()
        self._work.discard_tree(self._repo, self._key)
        return time.perf_counter() - began

    def reference(self) -> float:
        """Seconds of `git worktree add` for the same files."""
        began = time.perf_counter()
        self._git("-C", str(self._bare), "worktree", "add", "--quiet", "-b", "x", str(self._home / "wt"), "dev")
        return time.perf_counter() - began

    def advance(self) -> None:
        """One commit more upstream."""
        text = f"commit refs/heads/dev\ncommitter A <a@b> {self._count} +0000\ndata 1\nx\nfrom refs/heads/dev^0\n"
        self._git("-C", str(self._bare), "fast-import", "--quiet", stdin=text + _file("new.txt", f"{self._count}\n"))
        self._work.refresh(self._repo)

    def _import(self, files: int) -> None:
        text = ["commit refs/heads/dev\ncommitter A <a@b> 1 +0000\ndata 1\nx\n"]
        text += [_file(f"d{at // 100}/f{at}.txt", f"{at}\n" * 20) for at in range(files)]
        self._git("-C", str(self._bare), "fast-import", "--quiet", stdin="".join(text))

    def _git(self, *argv: str, stdin: str = "") -> None:
        subprocess.run(["git", *argv], input=stdin, text=True, env=ENV, check=True)


def _file(path: str, text: str) -> str:
    return f"M 100644 inline {path}\ndata {len(text)}\n{text}\n"
