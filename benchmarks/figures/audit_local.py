"""What a look at the user's own checkouts costs, and beside it what one `git status` costs."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.figure import Effort, Result, Row, median, spread
from ops_orchestrate.adapters.workshop import GitWorkshop
from ops_orchestrate.config import Settings
from ops_orchestrate.core.project import Repository
from tests.repos import make_upstream, repository_value


def measure(effort: Effort) -> Result:
    """Fifty small repositories, two threads, ours and plain git in turn."""
    count, rounds = effort.of(50, 2), 1 if effort.small else effort.rounds
    with tempfile.TemporaryDirectory(prefix="bench") as home:
        repositories = _repositories(Path(home), count)
        work = GitWorkshop(Path(home) / "state", Settings(data_dir=Path(home) / "state"))
        git = shutil.which("git") or "git"

        def status(repository: Repository) -> None:
            argv = [git, "-C", repository.path, "status", "--porcelain=v2", "--branch"]
            subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)

        _all(work.look, repositories)
        ours, plain = [], []
        for _ in range(rounds):
            ours.append(_all(work.look, repositories))
            plain.append(_all(status, repositories))
    row = Row(
        "audit, local",
        "≤ 4 ms a repository",
        spread(ours, " ms"),
        f"git status {spread(plain, ' ms')}",
        met=median(ours) <= 4,
    )
    told = f"{count} checkouts with a change each: uncommitted, unpushed, stashes and what is under way; two threads."
    return Result("audit_local", [row], told, {"ours": ours, "git status": plain})


def _all(look: Callable[[Repository], object], repositories: list[Repository]) -> float:
    """Milliseconds a repository."""
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(look, repositories))
    return 1000 * (time.perf_counter() - began) / len(repositories)


def _repositories(home: Path, count: int) -> list[Repository]:
    made = []
    for at in range(count):
        upstream = make_upstream(home, f"r{at}")
        (upstream.checkout / "new.txt").write_text("x\n")
        made.append(repository_value(upstream))
    return made
