"""The documents for scripts: `report --json`, `plan --json`, `status --json`.

Their schemas are in docs/schemas/. `version` changes when a field changes its meaning or goes away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ops_orchestrate.core.forecast import Forecast
from ops_orchestrate.core.outlet import Outlet
from ops_orchestrate.core.price import in_dollars
from ops_orchestrate.core.project import Skipped
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.core.treasury import Treasury
from ops_orchestrate.report.commands import next_command, resume_command
from ops_orchestrate.report.final import totals
from ops_orchestrate.report.money import Cost, cost_of, costs_by_project
from ops_orchestrate.report.plan import merges, planned_to_run
from ops_orchestrate.report.status import Status
from ops_orchestrate.report.view import AttemptView, RunView, TaskView

REPORT_VERSION = 1
PLAN_VERSION = 1
STATUS_VERSION = 1

Document = dict[str, Any]


def report_json(view: RunView) -> Document:
    """Everything the report knows about a run."""
    attempts = [attempt for task in view.tasks.values() for attempt in task.attempts]
    cost = cost_of(attempts)
    return {
        "version": REPORT_VERSION,
        **_header(view),
        "state": view.state,
        "reason": view.reason,
        "began": view.began,
        "finished": view.finished,
        "seconds": view.seconds,
        "unsandboxed": view.unsandboxed,
        "totals": {
            **totals(view),
            "tasks": len(view.tasks),
            "attempts": cost.attempts,
            **_cost(cost),
            "unpriced": cost.unpriced,
            "agent_seconds": _sum(attempt.seconds for attempt in attempts),
        },
        "costs": [
            {"project": project, "attempts": cost.attempts, **_cost(cost), "unpriced": cost.unpriced}
            for project, cost in costs_by_project(view).items()
        ],
        "waiting": {"reason": view.waiting, "until": view.waiting_until} if view.waiting else None,
        "counts": {str(state): len(view.of_state(state)) for state in TaskState},
        **_context(view),
        "refusals": [_plain(refusal) for refusal in view.refusals],
        "promotions": [
            {"repo": p.repo, "from": p.source, "to": p.target, "commit": p.commit, "at": p.at} for p in view.promotions
        ],
        "reverts": [
            {"repo": r.repo, "branch": r.target, "reverts": r.reverts, "commit": r.commit, "at": r.at}
            for r in view.reverts
        ],
        "command": resume_command(view) or None,
        "tasks": [_task(view, task) for task in view.tasks.values()],
    }


def plan_json(view: RunView, forecast: Forecast | None = None, outlets: Sequence[Outlet] | None = None) -> Document:
    """The plan: tasks, graph, waves, modes with reasons, the forecast, and what would be merged."""
    waves: dict[int, list[str]] = {}
    for task in view.tasks.values():
        waves.setdefault(task.wave, []).append(task.id)
    return {
        "version": PLAN_VERSION,
        **_header(view),
        # A run with this plan would be running; of a dry run nothing is.
        "state": "planned" if view.dry_run and view.state == RunState.RUNNING else view.state,
        "reason": view.reason,
        "forecast": _plain(forecast) if forecast else None,
        "waves": [{"wave": wave, "tasks": waves[wave]} for wave in sorted(waves)],
        "merges": merges(view, outlets),
        "outlets": [_plain(outlet) for outlet in outlets or ()],
        **_context(view),
        "tasks": [_planned(view, task) for task in view.tasks.values()],
    }


def status_json(status: Status) -> Document:
    """What `status` shows."""
    return {
        "version": STATUS_VERSION,
        "at": status.now,
        "server": status.server,
        "cap": status.cap,
        "quiet_until": status.quiet_until if status.quiet_until > status.now else None,
        "today": _today(status.treasury),
        "parked": [{"account": name, "until": until} for name, until in status.treasury.parked.items()],
        "runs": [_run(run, status.counts.get(run.id, {})) for run in status.runs],
        "slots": [_plain(slot) for slot in status.slots],
        "ownership": [_plain(owner) for owner in status.owners],
        "hosts": [{name: value for name, value in _plain(host).items() if name != "terms"} for host in status.hosts],
        "waiting": status.waiting,
        "missing": list(status.missing),
        "candidates": [_plain(candidate) for candidate in status.candidates],
    }


def _cost(cost: Cost) -> Document:
    return {
        "cost_usd": cost.usd,
        "tokens": cost.tokens,
        "review_usd": cost.review_usd,
        "review_tokens": cost.review_tokens,
    }


def _today(treasury: Treasury) -> Document:
    purse, cap = treasury.purse, treasury.caps.day
    return {
        "day": treasury.day.label,
        "ends": treasury.day.ends,
        "known": treasury.whole,
        "cost_usd": in_dollars(purse.micros),
        "tokens": purse.tokens,
        "review_usd": in_dollars(purse.review_micros),
        "review_tokens": purse.review_tokens,
        "reserved_usd": in_dollars(purse.reserved_micros),
        "reserved_tokens": purse.reserved_tokens,
        "unpriced": purse.unpriced,
        "uncounted": purse.uncounted,
        "max_usd": None if cap.micros is None else in_dollars(cap.micros),
        "max_tokens": cap.tokens,
    }


def _run(run: RunRecord, counts: dict[str, int]) -> Document:
    return {
        "id": run.id,
        "state": str(run.state),
        "mode": str(run.request.mode),
        "reason": run.reason,
        "stop": run.stop or None,
        "created": run.created_at,
        "finished": run.finished_at or None,
        "counts": counts,
    }


def _header(view: RunView) -> Document:
    return {
        "run": view.run,
        "mode": view.mode,
        "mode_note": view.mode_note,
        "scope": view.scope,
        "origin": view.origin,
        "registry_digest": view.digest,
        "agent": view.agent,
        "program_version": view.version,
        "flags": {
            "dry_run": view.dry_run,
            "fires_only": view.fires_only,
            "no_main": view.no_main,
            "force": view.force,
            "max_waves": view.max_waves,
        },
        "projects": list(view.projects),
    }


def _context(view: RunView) -> Document:
    return {
        "skipped": _left_out(view.skipped),
        "unknown": _left_out(view.unknown),
        "notes": [_plain(note) for note in view.notes],
        "warnings": list(view.warnings),
    }


def _identity(task: TaskView) -> Document:
    return {
        "id": task.id,
        "project": task.project,
        "repo": task.repo,
        "title": task.title,
        "priority": task.priority,
        "label": task.label,
        "mode": task.mode,
        "mode_reason": task.mode_reason,
        "member": task.member or None,
        "wave": task.wave,
        "state": str(task.state),
        "reason": task.reason,
        "blocked_by": list(task.blocked_by),
        "held_by": list(task.held_by),
        "parts": list(task.parts),
        "part_of": task.part_of or None,
        "split_by": task.split_by or None,
        "split_why": task.split_why or None,
        "big": task.big or None,
        "paths": list(task.paths),
        "sensitive": task.sensitive or None,
        "human": task.human or None,
    }


def _task(view: RunView, task: TaskView) -> Document:
    return {
        **_identity(task),
        "ask": task.ask or None,
        "command": next_command(view.run, task) or None,
        "settled": task.settled_at,
        "wake_at": task.wake_at,
        "reopened": task.reopened,
        "change": task.change or None,
        "head": task.head or None,
        "merge": task.merge or None,
        "merged_into": task.merged_into or None,
        "merged": task.merged_at,
        "promoted_to": task.promoted_to or None,
        "deploy": task.deploy,
        **_cost(cost_of(task.attempts)),
        "unpriced": cost_of(task.attempts).unpriced,
        "attempts": [_attempt(attempt) for attempt in task.attempts],
        "verdicts": [_plain(verdict) for verdict in task.verdicts],
        "reviews": [_plain(review) for review in task.reviews],
        "refusals": [_plain(refusal) for refusal in task.refusals],
        "hand_overs": [{"from": given.source, "text": given.text} for given in task.hand_overs],
        "messages": [_plain(message) for message in task.messages],
    }


def _planned(view: RunView, task: TaskView) -> Document:
    return {
        **_identity(task),
        "detail": task.detail or None,
        "acceptance": list(task.acceptance),
        "estimate_seconds": task.estimate,
        "gate": task.gate or None,
        "base": task.base or None,
        "dispatched": planned_to_run(view, task),
    }


def _attempt(attempt: AttemptView) -> Document:
    words = ("agent", "agent_version", "host", "outcome", "summary", "head", "branch", "salvage")
    return {
        "number": attempt.number,
        "fence": attempt.fence,
        **{word: getattr(attempt, word) or None for word in words},
        "started": attempt.started,
        "ended": attempt.ended,
        "seconds": attempt.seconds,
        **_cost(cost_of([attempt])),
        "brief_digest": attempt.brief or None,
        "unsandboxed": attempt.unsandboxed,
    }


def _plain(value: Any) -> Document:
    dumped: Document = value.model_dump(mode="json")
    return dumped


def _left_out(entries: Iterable[Skipped]) -> list[Document]:
    return [{"name": entry.name, "reason": entry.reason} for entry in entries]


def _sum(values: Iterable[float | int | None]) -> float | int | None:
    """The sum of what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None
