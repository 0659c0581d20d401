"""What a merged pull request costs in points of GitHub's limits: `python -m benchmarks.api_points [--json FILE]`.

Changes of several repositories go all the way through pull requests on the stand-in, whose own record is the measure:
every request with its price (an answer 304 is free). CI takes so many looks (`--ci`), as it does with minutes of CI and
`OPS_CI_POLL` at half a minute. Every step is the real one; one process walks through them, so the figures do not
depend on how fast the machine is. Work of git is not counted: it costs no points.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from ops_orchestrate.standin.profile import JobPlan
from tests.engine.rig import requested, work
from tests.engine.walk import Walk, walking

_POLL = 0.4
ENV = {"OPS_CI_GRACE": "5", "OPS_MERGE_UNKNOWN": "5", "OPS_CI_SETTLE": "0"}


def main() -> None:
    """Measure and print."""
    options = _options()
    with (
        tempfile.TemporaryDirectory(prefix="api-points-") as home,
        walking(Path(home), **ENV, OPS_CI_POLL=str(options.poll)) as walk,
    ):
        figures = measured(walk, options)
    print(_table(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    else:
        print(json.dumps(figures))


def measured(walk: Walk, options: argparse.Namespace) -> dict[str, Any]:
    """All changes of all repositories, from request to merge; what was asked, and its price."""
    walk.rig.play({f"c{at}": [work(f"c{at}")] for at in range(options.changes)})
    slugs = [_repository(walk, f"cost{at}", options) for at in range(options.repositories)]
    tasks = [
        requested(f"r{number}-c{at}", slug.split("/")[1], paths=(f"src/c{at}.txt",))
        for number, slug in enumerate(slugs)
        for at in range(options.changes)
    ]
    walk.rig.play({one.id: [work(one.id, path=one.paths[0])] for one in tasks})
    before = len(walk.control.journal.entries)
    run = walk.begin(tasks, portfolio=walk.forge.portfolio(*slugs))
    walk.finish(run, seconds=options.timeout)
    asked = [one for one in walk.control.journal.entries[before:] if one.kind == "request"]
    merged = len(walk.control.journal.effects("pull-merged"))
    assert merged == len(tasks), walk.story()
    points, requests = Counter[str](), Counter[str]()
    for one in asked:
        if one.facts["resource"] != "git":
            name = _kind(one.facts["method"], one.what, str(one.facts["query"]))
            requests[name] += 1
            points[name] += int(one.facts["points"])
    return {
        "merged": merged,
        "ci_looks": options.ci,
        "points": sum(points.values()),
        "points_per_merge": round(sum(points.values()) / merged, 2),
        "requests_per_merge": round(sum(requests.values()) / merged, 2),
        "by_kind": {name: {"points": points[name], "requests": requests[name]} for name, _ in points.most_common()},
    }


def _repository(walk: Walk, name: str, options: argparse.Namespace) -> str:
    job = JobPlan("test", seconds=options.ci * options.poll)
    return walk.forge.repository(name, job)


def _kind(method: str, path: str, query: str) -> str:
    """A request without what tells one of its sort from another."""
    if path.endswith("/graphql"):
        return f"graphql {query or '?'}"
    plain = re.sub(r"^/repos/[^/]+/[^/]+", "/repos/…", path)
    return f"{method} " + re.sub(r"/[0-9]+(?=/|$)", "/N", re.sub(r"/branches/[^/]+|/[0-9a-f]{40}", "/X", plain))


def _table(figures: dict[str, Any]) -> str:
    merged = figures["merged"]
    rows = [f"{'points':>7}{'a merge':>9}{'requests':>10}  kind"]
    rows += [
        f"{one['points']:>7}{one['points'] / merged:>9.2f}{one['requests']:>10}  {name}"
        for name, one in figures["by_kind"].items()
    ]
    rows.append(f"{figures['points']:>7}{figures['points_per_merge']:>9.2f}  in all, of {merged} merged pull requests")
    return "\n".join(rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repositories", type=int, default=2)
    parser.add_argument("--changes", type=int, default=3, help="of one repository, at the same time")
    parser.add_argument("--ci", type=int, default=10, help="looks that CI takes")
    parser.add_argument("--poll", type=float, default=_POLL, help="seconds between two looks")
    parser.add_argument("--timeout", type=float, default=300.0)
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser.parse_args()


if __name__ == "__main__":
    main()
