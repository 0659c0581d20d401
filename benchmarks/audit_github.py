"""What an audit of GitHub costs: `python -m benchmarks.audit_github [--repositories 200] [--latency 0.03]`.

The stand-in runs in a process of its own, so that what it computes is not counted as ours. Four audits are measured:
cold (nothing is known), unchanged (by a new client on the same data directory, as the next command has it; the first
one learns the ETags that later ones ask with), and one after a push to a single repository.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import multiprocessing
import os
import pstats
import resource
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ops_orchestrate.config import Settings
from ops_orchestrate.core.project import Portfolio, Project
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.core.task import Mode
from ops_orchestrate.wiring.outside import Outside

_TOKEN = "ghp_" + "b3Nc" * 9


def main() -> None:
    """Measure and print."""
    audits(_options())


def audits(options: argparse.Namespace) -> list[dict[str, dict[str, Any]]]:
    """Round after round on one stand-in: cold, twice unchanged, one push later; the figures of each."""
    with tempfile.TemporaryDirectory(prefix="audit-github-") as home:
        folder = Path(home)
        with _standin(folder / "github", options.repositories) as url:
            os.environ["GITHUB_TOKEN"] = _TOKEN
            _say(url, "latency", seconds=options.latency)
            print(f"{options.repositories} repositories, {options.latency * 1000:g} ms a request\n", file=sys.stderr)
            head = f"{'':<22}{'seconds':>8}{'CPU':>7}{'requests':>10}{'a repo':>8}{'points':>8}  by status"
            print(head, file=sys.stderr)
            return [_round(url, folder / f"data{at}", options, at) for at in range(options.rounds)]


def _round(url: str, data: Path, options: argparse.Namespace, at: int) -> dict[str, dict[str, Any]]:
    audit = _Audit(url, data, options)
    found = {"cold": audit("cold")}
    found["learning"] = audit("unchanged, learning")
    found["unchanged"] = audit("unchanged", profile=options.profile)
    _say(url, "push", name="acme/r0", branch="dev", files={f"x{at}.txt": "x"})
    return found | {"one push later": audit("one push later")}


class _Audit:
    def __init__(self, url: str, data: Path, options: argparse.Namespace) -> None:
        self._url, self._data, self._count = url, data, options.repositories
        self._projects = [_project(url, f"acme/r{at}") for at in range(options.repositories)]

    def __call__(self, name: str, *, profile: bool = False) -> dict[str, Any]:
        """One audit by a client that knows only what is on the disk: prints a line and returns its figures."""
        before = len(_journal(self._url))
        settings = Settings(data_dir=self._data, github_api_url=self._url)
        portfolio = Portfolio(origin="benchmark", digest="0", projects=tuple(self._projects))
        request = RunRequest(portfolio=portfolio, mode=Mode.SUBAGENTS, agent="none")
        watch = cProfile.Profile()
        at, cpu = time.perf_counter(), _cpu()
        outside = Outside(settings)
        if profile:
            watch.enable()
        part = outside.sources["github"].findings(self._projects, request)
        watch.disable()
        seconds, spent = time.perf_counter() - at, _cpu() - cpu
        outside.github.close()
        asked = [one for one in _journal(self._url)[before:] if one["kind"] == "request"]
        status = Counter(f"{one['status']} {one['resource']}" for one in asked)
        points = sum(one["points"] for one in asked)
        counts = ", ".join(f"{count} × {kind}" for kind, count in status.most_common())
        each = len(asked) / self._count
        line = f"{name:<22}{seconds:>8.2f}{spent:>7.2f}{len(asked):>10}{each:>8.2f}{points:>8}  {counts}"
        print(line, file=sys.stderr)
        assert not part.unknown, part.unknown[:3]
        if profile:
            pstats.Stats(watch, stream=sys.stderr).sort_stats("cumulative").print_stats(45)
        return {"seconds": seconds, "cpu": spent, "requests": len(asked), "each": each, "status": dict(status)}


def _project(url: str, slug: str) -> Project:
    alias = slug.replace("/", "-")
    repository = {
        "key": f"local-{alias}",
        "name": alias,
        "path": f"/nowhere/{alias}",
        "slug": slug,
        "upstream": f"{url}/{slug}.git",
    }
    return Project.model_validate({"alias": alias, "repositories": [repository]})


@contextmanager
def _standin(folder: Path, repositories: int) -> Iterator[str]:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    child = multiprocessing.get_context("spawn").Process(target=_serve, args=(folder, repositories, theirs))
    child.start()
    try:
        yield ours.recv()
    finally:
        ours.send("end")
        child.join(60)
        child.kill()


def _serve(folder: Path, repositories: int, told: Connection) -> None:
    """The stand-in with its repositories: CI on dev, three issues each, and pull requests here and there."""
    from ops_orchestrate.standin.run import Standin

    # What was changed a moment ago is not kept, so everything here is an hour old.
    with Standin(folder, clock=lambda: time.time() - 3600) as github:
        control = github.control
        control.add_user("bot", token=_TOKEN)
        for at in range(repositories):
            slug = f"acme/r{at}"
            control.add_repository(slug, files={"README.md": "Hello\n"}, organization=True)
            control.permit(slug, "bot", "write")
            control.permit(slug, "bob", "write")
            control.ci(slug, on=["push"], branches=["dev"])
            for push in range(4):
                control.push(slug, "dev", {f"{push}.txt": "x"}, start="main")
            for issue in range(3):
                control.issue(slug, f"Issue {issue}", "It hurts\n" * 20, by="bob")
            if at % 4 == 0:
                control.push(slug, "feature", {"a.txt": "a"}, start="dev")
                control.open_pull(slug, "feature", "dev", "Mend it", "bob")
        told.send(github.url)
        told.recv()


def _say(url: str, what: str, **arguments: Any) -> None:
    request = urllib.request.Request(f"{url}/_control/{what}", json.dumps(arguments).encode(), method="POST")
    urllib.request.urlopen(request).close()


def _journal(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/_control/journal") as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repositories", type=int, default=200)
    parser.add_argument("--latency", type=float, default=0.03, help="seconds that every request takes longer")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--profile", action="store_true", help="show where an unchanged audit spends its time")
    return parser.parse_args()


if __name__ == "__main__":
    main()
