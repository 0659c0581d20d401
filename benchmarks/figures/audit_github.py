"""An audit of GitHub: cold, and where nothing has changed. The figures of `python -m benchmarks.audit_github`."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from benchmarks.audit_github import audits
from benchmarks.figure import Effort, Result, Row, median, spread


def measure(effort: Effort) -> Result:
    """Each round by a client that knows nothing yet."""
    rounds_wanted = 1 if effort.small else effort.rounds
    options = Namespace(repositories=effort.of(200, 2), latency=0.03, profile=False, rounds=rounds_wanted)
    rounds = audits(options)
    cold, first, same = ([one[name] for one in rounds] for name in ("cold", "learning", "unchanged"))
    rows = [
        Row(
            "audit, GitHub, cold",
            "≤ 15 s, ≤ 2 requests a repository",
            f"{spread(_seconds(cold), ' s')}, {cold[-1]['each']:.2f} requests",
            met=median(_seconds(cold)) <= 15 and cold[-1]["each"] <= 2,
        ),
        Row("audit, GitHub, its ETags learned", "stated", _told(first)),
        Row(
            "audit, GitHub, unchanged",
            "304s only, ≤ 5 s",
            _told(same),
            met=median(_seconds(same)) <= 5 and set(same[-1]["status"]) == {"304 core"},
        ),
    ]
    told = f"{options.repositories} repositories on the stand-in, 30 ms a request, which runs on the same cores."
    return Result("audit_github", rows, told, {"rounds": rounds})


def _told(audits_made: list[dict[str, Any]]) -> str:
    status = audits_made[-1]["status"].items()
    return f"{spread(_seconds(audits_made), ' s')}, {', '.join(f'{count} × {kind}' for kind, count in status)}"


def _seconds(audits_made: list[dict[str, Any]]) -> list[float]:
    return [one["seconds"] for one in audits_made]
