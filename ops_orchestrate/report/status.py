"""`status` as text: the runs, who holds which slot and repository, the hosts, and what waits for a slot."""

from __future__ import annotations

from pydantic import Field

from ops_orchestrate.core.board import MAX_AGENTS, Candidate, Host, Owner, Slot
from ops_orchestrate.core.clock import said
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.core.states import RUN_OPEN, TaskState
from ops_orchestrate.core.treasury import Treasury
from ops_orchestrate.core.value import Value
from ops_orchestrate.report.amounts import count, duration
from ops_orchestrate.report.cells import clean, cut, for_encoding
from ops_orchestrate.report.frame import box, frame_width, heading, labelled
from ops_orchestrate.report.money import parked_lines, today_lines


class Status(Value):
    """What the ledger held at one moment."""

    now: float = 0.0
    server: str = ""
    """Which server holds the ledger, without credentials."""
    embedded: bool = False
    """Whether it is our own, whose workers come and go with the commands."""
    cap: int = MAX_AGENTS
    """Agents at once, as the settings have it."""
    runs: tuple[RunRecord, ...] = ()
    counts: dict[str, dict[str, int]] = Field(default_factory=dict)
    """Run to tasks per state."""
    slots: tuple[Slot, ...] = ()
    owners: tuple[Owner, ...] = ()
    hosts: tuple[Host, ...] = ()
    missing: tuple[str, ...] = ()
    """Tasks that no machine can do, and why."""
    candidates: tuple[Candidate, ...] = ()
    """Tasks that could start at once if there were a slot, an agent process and their repository."""
    waiting: int = 0
    """Tasks that are queued, for a slot or for their blockers."""
    quiet_until: float = 0.0
    """Nothing is admitted before this."""
    treasury: Treasury = Treasury()


def status_text(status: Status, width: int = 80, encoding: str | None = "utf-8") -> str:
    """The status for a terminal of `width` columns."""
    inner = frame_width(width, min(width, 100))
    lines = heading(f"OPS ► ORCHESTRATE — Status | {len(status.slots)} of {status.cap} slots taken", inner)
    for label, entries in _sections(status):
        lines += labelled(label, entries, inner)
    return for_encoding("\n".join([*(cut(line, inner) for line in lines), box(inner)]), encoding)


def _sections(status: Status) -> list[tuple[str, list[str]]]:
    now = status.now
    sections = [
        ("Server:", [clean(status.server)] if status.server else []),
        ("Runs:", [_run(run, status.counts.get(run.id, {}), now) for run in status.runs] or ["none yet"]),
        ("Slots:", [_slot(slot, now) for slot in status.slots] or ["all free"]),
        ("Ownership:", [_owner(owner, now) for owner in status.owners] or ["no repository is held"]),
        ("Hosts:", [_host(host, now) for host in status.hosts] or [_nobody(status)]),
        ("Waiting:", [_waiting(status), *map(clean, status.missing[:5])]),
        ("Today:", today_lines(status.treasury) if status.treasury.day.label else []),
        ("Quotas:", parked_lines(status.treasury.parked, None)),
    ]
    if status.quiet_until > now:
        rest = duration(status.quiet_until - now)
        sections.append(("Quiet:", [f"nothing is started for another {rest}: the server is new or was restarted"]))
    return [(label, entries) for label, entries in sections if entries]


def _run(run: RunRecord, counts: dict[str, int], now: float) -> str:
    tasks = ", ".join(f"{counts[state]} {state}" for state in map(str, TaskState) if counts.get(state))
    stopping = " (stopping)" if run.stop and run.state in RUN_OPEN else ""
    line = f"{clean(run.id)} {run.state}{stopping} — {tasks or 'no tasks'}"
    ended = run.finished_at
    line += f"; ended {duration(now - ended)} ago" if ended else f"; begun {duration(now - run.created_at)} ago"
    return line + (f"; {clean(run.reason)}" if run.reason else "")


def _slot(slot: Slot, now: float) -> str:
    where = clean(slot.host) or "granted, not claimed yet"
    return (
        f"{slot.index}: {clean(slot.run)}/{clean(slot.task)} attempt {slot.attempt}, {where}, "
        f"fence {slot.fence}, {_lease(slot.lease_until, now)}, taken {duration(now - slot.taken_at)} ago"
    )


def _owner(owner: Owner, now: float) -> str:
    what = ", ".join(clean(path) for path in owner.paths) or "all of it"
    where = clean(owner.host) or "not claimed yet"
    holder = f"{clean(owner.run)}/{clean(owner.task)}, {where}, fence {owner.fence}"
    return f"{clean(owner.repo)} ({what}): {holder}, {_lease(owner.lease_until, now)}"


def _lease(until: float, now: float) -> str:
    return f"lease {duration(until - now)}" if until > now else f"lease ended {duration(now - until)} ago"


def _nobody(status: Status) -> str:
    if status.embedded:
        return "no worker is there now; `run`, `resume` and `answer` bring their own"
    return "no worker has announced itself: start one with `celery -A ops_orchestrate worker`"


def _host(host: Host, now: float) -> str:
    pools = ", ".join(f"{clean(pool)} {size}" for pool, size in sorted(host.pools.items()))
    agents = f"; agents: {', '.join(map(clean, host.agents))}" if host.agents else ""
    sandbox = f"; sandbox: {clean(host.sandbox)}" if host.sandbox else ""
    if host.drained:
        pools = "drained, takes no new jobs"
    clock = f"; {text}" if (text := said(host.skew)) else ""
    memory = f"; {host.memory_mb / 1024:.0f} GB" if host.memory_mb else ""
    seen = duration(now - host.seen_at)
    return f"{clean(host.name)}: {pools or 'no pool'}{agents}{memory}{sandbox}{clock}; seen {seen} ago"


def _waiting(status: Status) -> str:
    names = ", ".join(f"{clean(c.run)}/{clean(c.task)}" for c in status.candidates[:5])
    more = f" and {len(status.candidates) - 5} more" if len(status.candidates) > 5 else ""
    ready = f"{count(len(status.candidates), 'task')} for a slot: {names}{more}" if names else ""
    queued = f"{count(status.waiting, 'task')} queued" if status.waiting else ""
    return "; ".join(part for part in (queued, ready) if part) or "no task waits for a slot"
