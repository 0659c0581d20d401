"""`.planning/` files as findings: open phases become work, contradictions become notices.

The roadmap's checkboxes win over everything; the state file only says which phase is current and whether a
person is waited for. Both are outside data. Pure: the caller reads the files from the integration branch.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

from ops_orchestrate.core.finding import Finding, FindingKind
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.planning_state import PlanningState, parse_state
from ops_orchestrate.core.roadmap import Phase, Roadmap, parse_roadmap, phase_key

__all__ = ["PlanningState", "Roadmap", "parse_roadmap", "parse_state", "phase_key", "planning_findings", "plans_done"]


#: `.planning/phases/02-name/02-01-PLAN.md` and its `-SUMMARY.md`: a plan is done when its summary exists.
_PLAN_FILE = re.compile(
    r"(?:^|/)phases/(?P<phase>\d+[A-Za-z]?(?:\.\d+)*)-[^/]*/(?:[^/]*-)?(?P<plan>\d+)-(?P<kind>PLAN|SUMMARY)\.md$"
)


def planning_findings(
    project: str,
    repo_key: str,
    state: PlanningState | None,
    roadmap: Roadmap | None,
    plans_done: Mapping[str, tuple[int, int]],
) -> tuple[Finding, ...]:
    """Open phases as work that waits for the phases it depends on, then what contradicts what.

    `plans_done` holds, by `phase_key`, how many plans of a phase have a summary, and how many there are.
    A phase that a person has to approve carries `human`. Done and deferred phases block nobody.
    """
    if roadmap is None:
        return _drift(project, repo_key, state.drift if state else ())
    open_phases = {phase_key(p.id): p for p in roadmap.phases if not _is_done(p, plans_done) and not p.deferred}
    known = {phase_key(phase.id) for phase in roadmap.phases}
    prints = {key: _fingerprint("phase", repo_key, key) for key in open_phases}
    findings = []
    for key, phase in open_phases.items():
        human = phase.human or (state.human if state and state.phase == key else None)
        findings.append(
            Finding(
                kind=FindingKind.PHASE,
                project=project,
                repo=repo_key,
                fingerprint=prints[key],
                title=f"Phase {phase.id}: {phase.title}",
                detail=phase.goal,
                source="planning",
                actionable=True,
                acceptance=phase.criteria,
                blocked_by=tuple(prints[one] for one in phase.depends_on if one in prints and one != key),
                human=f"The roadmap asks for a person: {human}." if human else None,
                cause=_cause(phase),
            )
        )
    notes = (
        *roadmap.drift,
        *(state.drift if state else ()),
        *_contradictions(state, roadmap, plans_done, known),
    )
    return (*findings, *_drift(project, repo_key, notes))


def plans_done(paths: Iterable[str]) -> dict[str, tuple[int, int]]:
    """By `phase_key`: how many plans below `.planning/phases/` have their summary, and how many there are."""
    plans: dict[str, set[str]] = {}
    summaries: dict[str, set[str]] = {}
    for path in paths:
        found = _PLAN_FILE.search(path)
        if found:
            kind = plans if found["kind"] == "PLAN" else summaries
            kind.setdefault(phase_key(found["phase"]), set()).add(found["plan"])
    return {key: (len(names & summaries.get(key, set())), len(names)) for key, names in plans.items()}


def _is_done(phase: Phase, plans_done: Mapping[str, tuple[int, int]]) -> bool:
    if phase.done is not None:
        return phase.done
    done, planned = plans_done.get(phase_key(phase.id), (0, 0))
    return planned > 0 and done >= planned


def _contradictions(
    state: PlanningState | None, roadmap: Roadmap, plans_done: Mapping[str, tuple[int, int]], known: set[str]
) -> list[str]:
    notes = []
    for phase in roadmap.phases:
        key = phase_key(phase.id)
        done, planned = plans_done.get(key, (0, 0))
        if phase.done is False and 0 < planned <= done:
            notes.append(f"phase {phase.id} is open in ROADMAP.md, but all {planned} of its plans have a summary")
        if phase.done and done < planned:
            notes.append(f"phase {phase.id} is done in ROADMAP.md, but only {done} of {planned} plans have a summary")
        missing = [one for one in phase.depends_on if one not in known]
        if missing and not roadmap.archived:
            notes.append(f"phase {phase.id} depends on phase {missing[0]}, which ROADMAP.md does not list")
    return notes + (_state_against(state, roadmap, known) if state else [])


def _state_against(state: PlanningState, roadmap: Roadmap, known: set[str]) -> list[str]:
    notes = []
    current = next((p for p in roadmap.phases if phase_key(p.id) == state.phase), None)
    if state.phase and known and current is None:
        notes.append(f"STATE.md is at phase {state.phase}, which ROADMAP.md does not list")
    if current and current.done and state.status in {"executing", "planning"}:
        notes.append(f"STATE.md is {state.status} phase {state.phase}, which ROADMAP.md calls done")
    finished = sum(1 for phase in roadmap.phases if phase.done)
    comparable = known and state.total_phases == len(roadmap.phases)
    if comparable and state.completed_phases not in (None, finished):
        notes.append(f"STATE.md counts {state.completed_phases} phases done, ROADMAP.md {finished}")
    if state.status == "completed" and finished < len(roadmap.phases) and not state.phase:
        notes.append("STATE.md says that everything is complete, ROADMAP.md has open phases")
    return notes


def _drift(project: str, repo_key: str, notes: tuple[str, ...]) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            kind=FindingKind.STATE_DRIFT,
            project=project,
            repo=repo_key,
            fingerprint=_fingerprint("state-drift", repo_key, note),
            title=one_line(f".planning: {note}"),
            source="planning",
        )
        for note in dict.fromkeys(notes)
    )


def _fingerprint(kind: str, repo_key: str, what: str) -> str:
    return hashlib.sha256(f"{kind}\0{repo_key}\0{what}".encode("utf-8", "replace")).hexdigest()[:16]


def _cause(phase: Phase) -> str:
    text = "\0".join((phase.title, phase.goal, *phase.criteria, *phase.depends_on))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]
