"""What a merged pull request costs in points of GitHub's limits: `python -m benchmarks.api_points [--json FILE]`.

Changes of several repositories go all the way through pull requests on the stand-in, whose own record is the measure:
every request with its price (an answer 304 is free). Settings are the defaults, CI takes a minute; both go by several
times faster than they say (`--speed`; 1: as slow as they are). Every step is the real one; one process walks through
them. Work of git is not counted: it costs no points.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.phases import PHASES, Phases
from ops_orchestrate.adapters.github import pulls
from ops_orchestrate.config import Settings
from ops_orchestrate.core.merge import rows_state
from ops_orchestrate.standin.journal import Entry
from ops_orchestrate.standin.profile import JobPlan
from tests.engine.rig import requested, work
from tests.engine.walk import Walk, walking

#: Settings in seconds that are waited for, at their defaults.
_PERIODS = ("ci_poll", "ci_settle", "ci_grace", "merge_unknown")


def main() -> None:
    """Measure and print."""
    options = _options()
    figures = measured(options)
    print(_table(figures, "by_phase"), _table(figures, "by_kind"), sep="\n\n")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """All changes of all repositories, from request to merge; what was asked, and its price."""
    defaults = Settings.model_fields
    env = {f"OPS_{name.upper()}": f"{defaults[name].default / options.speed}" for name in _PERIODS}
    with (
        tempfile.TemporaryDirectory(prefix="api-points-") as home,
        _sped_up(options.speed),
        walking(Path(home), **env) as walk,
    ):
        return _walked(walk, options)


@contextmanager
def _sped_up(speed: float) -> Iterator[None]:
    """What is no setting goes by as much faster."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("RULES_SECONDS", "YES_SECONDS"):
            patch.setattr(pulls, name, getattr(pulls, name) / speed)
        patch.setattr(rows_state, "_BACK_OFF", tuple(one / speed for one in rows_state._BACK_OFF))
        yield


def _walked(walk: Walk, options: argparse.Namespace) -> dict[str, Any]:
    job = JobPlan("test", seconds=options.ci / options.speed)
    slugs = [walk.forge.repository(f"cost{at}", job) for at in range(options.repositories)]
    tasks = [
        requested(f"r{number}-c{at}", slug.split("/")[1], paths=(f"src/c{at}.txt",))
        for number, slug in enumerate(slugs)
        for at in range(options.changes)
    ]
    walk.rig.play({one.id: [work(one.id, path=one.paths[0])] for one in tasks})
    entries = walk.control.journal.entries
    before, phases = len(entries), Phases(lambda: len(entries))
    with phases.during():
        run = walk.begin(tasks, portfolio=walk.forge.portfolio(*slugs))
        walk.finish(run, seconds=options.timeout)
    merged = len(walk.control.journal.effects("pull-merged"))
    assert merged == len(tasks), walk.story()
    asked = [
        (phases.of(at), one)
        for at, one in enumerate(entries)
        if at >= before and one.kind == "request" and one.facts["resource"] != "git"
    ]
    by_phase = dict.fromkeys(PHASES, (0, 0)) | _summed((phase, one) for phase, one in asked)
    by_kind = _summed((_kind(one), one) for _, one in asked)
    points, requests = (sum(counts[at] for counts in by_kind.values()) for at in (0, 1))
    return {
        "merged": merged,
        "ci_seconds": options.ci,
        "speed": options.speed,
        "points": points,
        "points_per_merge": round(points / merged, 2),
        "requests_per_merge": round(requests / merged, 2),
        "by_phase": _told(by_phase),
        "by_kind": _told(dict(sorted(by_kind.items(), key=lambda item: -item[1][0]))),
    }


def _summed(asked: Iterator[tuple[str, Entry]]) -> dict[str, tuple[int, int]]:
    """Points and requests by name."""
    points, requests = Counter[str](), Counter[str]()
    for name, one in asked:
        points[name] += int(one.facts["points"])
        requests[name] += 1
    return {name: (points[name], count) for name, count in requests.items()}


def _told(counts: Mapping[str, tuple[int, int]]) -> dict[str, dict[str, int]]:
    return {name: {"points": points, "requests": requests} for name, (points, requests) in counts.items()}


def _kind(one: Entry) -> str:
    """A request without what tells one of its sort from another."""
    method, path, query = str(one.facts["method"]), one.what, str(one.facts["query"])
    if path.endswith("/graphql"):
        return f"graphql {query or '?'}"
    plain = re.sub(r"/branches/[^/]+|/[0-9a-f]{40}", "/X", re.sub(r"^/repos/[^/]+/[^/]+", "/repos/…", path))
    return f"{method} " + re.sub(r"/collaborators/[^/]+", "/collaborators/X", re.sub(r"/[0-9]+(?=/|$)", "/N", plain))


def _table(figures: dict[str, Any], by: str) -> str:
    merged = figures["merged"]
    rows = [f"{'points':>7}{'a merge':>9}{'requests':>10}  {by.replace('_', ' ')}"]
    rows += [
        f"{one['points']:>7}{one['points'] / merged:>9.2f}{one['requests']:>10}  {name}"
        for name, one in figures[by].items()
        if one["requests"] or by == "by_phase"
    ]
    rows.append(f"{figures['points']:>7}{figures['points_per_merge']:>9.2f}  in all, of {merged} merged pull requests")
    return "\n".join(rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repositories", type=int, default=4)
    parser.add_argument("--changes", type=int, default=5, help="of one repository, at the same time")
    parser.add_argument("--ci", type=float, default=60.0, help="seconds that CI takes")
    parser.add_argument("--speed", type=float, default=3.0, help="how much faster time goes by")
    parser.add_argument("--timeout", type=float, default=1800.0)
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser.parse_args()


if __name__ == "__main__":
    main()
