"""Before an agent is started: is there still something to do, is a change there already, and where does it go on?

An agent costs minutes and money, a question one or two requests. What is not answered is gone on with.
"""

from __future__ import annotations

from ops_orchestrate.core.attempt import Outcome, OutcomeKind, StageKey
from ops_orchestrate.core.attempt_rule import begin_at, goes_on_from
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.merge.pull import PullState
from ops_orchestrate.core.names import short
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.recheck import Still
from ops_orchestrate.core.states import Stage
from ops_orchestrate.core.task import TaskMode, TaskSpec
from ops_orchestrate.engine.lease import Lease
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import GitError, SourceUnavailable, UnknownRun, UnknownTask

#: The source of what a person asked for: that is worked on, whatever became of its issue.
_ASKED = "tasks-file"
#: So often a workflow run that is under way is asked after before the agent starts all the same.
_LOOKS = 4


def needs_no_agent(
    key: StageKey, repository: Repository, spec: TaskSpec, lease: Lease, tools: Toolbox
) -> Outcome | None:
    """How the attempt ends without an agent; None where one has to work."""
    earlier = earlier_ends(key, tools)
    try:
        if not earlier and spec.change_branch:
            return _adopted(key, repository, spec, tools)
        if not earlier and spec.begun_at and (made := _made_before(key, repository, spec, tools)):
            return made
        if earlier and (last := earlier[-1]) and last.kind is OutcomeKind.INTERRUPTED:
            return _left_off(key, repository, last, tools)
        return None if earlier else _resolved(key, repository, spec, lease, tools)
    except (GitError, SourceUnavailable) as error:
        _say(key, "recheck", f"It is not known whether there is still something to do: {error}", tools)
        return None


def where_to_begin(key: StageKey, repository: Repository, spec: TaskSpec, tools: Toolbox) -> str | None:
    """The commit that the attempt goes on from; None: the base."""
    adopted = tools.workshop.head(repository, spec.change_branch) if spec.change_branch else None
    return begin_at(earlier_ends(key, tools), adopted, team=spec.mode is TaskMode.TEAM)


def remembers(key: StageKey, spec: TaskSpec, tools: Toolbox) -> bool:
    """Whether the attempt goes on with the session of the last one, where its host has kept that."""
    earlier, team = earlier_ends(key, tools), spec.mode is TaskMode.TEAM
    return team and bool(earlier) and (last := earlier[-1]) is not None and goes_on_from(last, team=team)


def grown_from(key: StageKey, start: str, tools: Toolbox) -> str:
    """The commit that what the attempt delivers is to differ from.

    Mostly where it starts; an attempt that was stopped to be told something counts with the one that goes on.
    """
    for outcome in reversed(earlier_ends(key, tools)):
        if outcome and outcome.kind is OutcomeKind.REDIRECTED and outcome.head == start:
            return outcome.base
    return start


def earlier_ends(key: StageKey, tools: Toolbox) -> list[Outcome | None]:
    """How the attempts before this one ended, in order; None for one that never told."""
    return [one.outcome for one in tools.ledger.tasks.attempts_before(key)]


def _adopted(key: StageKey, repository: Repository, spec: TaskSpec, tools: Toolbox) -> Outcome:
    """The change that is there is verified and landed first; whoever sends it back gets an agent to mend it."""
    pulls = tools.pulls_of(repository)
    state = pulls.glance(repository, int(spec.change), max_age=0.0).state if pulls else PullState.OPEN
    if state is PullState.MERGED:
        return Outcome(kind=OutcomeKind.ALREADY_DONE, summary=f"#{spec.change} has been merged since the audit.")
    tools.workshop.refresh(repository)
    head = tools.workshop.head(repository, spec.change_branch)
    if state is PullState.CLOSED or head is None:
        gone = "was closed" if state is PullState.CLOSED else "has lost its branch"
        words = f"#{spec.change} {gone} since the audit, without being merged; `retry` makes another change"
        return Outcome(kind=OutcomeKind.WAITING, summary=words, ask="retry")
    _say(key, "change", f"goes on with #{spec.change} at {short(head)}", tools)
    return Outcome(kind=OutcomeKind.SUCCEEDED, summary=f"Goes on with #{spec.change}.", head=head)


def _made_before(key: StageKey, repository: Repository, spec: TaskSpec, tools: Toolbox) -> Outcome | None:
    """What an earlier run made, and could not prove, is verified first: no agent makes it once more.

    None where this machine cannot have the commit: then it begins anew, and what was made stays where it is.
    """
    try:
        tools.workshop.tree_of(repository, spec.begun_at)
    except GitError as error:
        text = f"begins anew: {short(spec.begun_at)} of {spec.begun_by} is not to be had here: {error}"
        _say(key, "change", text, tools)
        return None
    _say(key, "change", f"goes on with {short(spec.begun_at)}, which {spec.begun_by} has made", tools)
    said = _said_of(spec, tools)
    words = said.summary if said else f"Goes on with what {spec.begun_by} has made."
    told = said.hand_over if said else ""
    return Outcome(kind=OutcomeKind.SUCCEEDED, summary=words, hand_over=told, head=spec.begun_at)


def _said_of(spec: TaskSpec, tools: Toolbox) -> Outcome | None:
    """How the agent that made it described it; None where nobody knows any more."""
    run, _, task = spec.begun_by.partition("/")
    try:
        attempts = tools.ledger.tasks.attempts(run, task)
    except (UnknownRun, UnknownTask):
        return None
    for one in reversed(attempts):
        found = tools.ledger.attempts.outcome_of(run, task, one.number, Stage.IMPLEMENT)
        if found and found.head == spec.begun_at:
            return found
    return None


def _left_off(key: StageKey, repository: Repository, last: Outcome, tools: Toolbox) -> Outcome | None:
    """An attempt that was stopped while its change waited goes on with it: no agent makes it once more."""
    pursuit = tools.ledger.attempts.pursuit(key.run, key.task)
    if not pursuit.number or not last.head or pursuit.head != last.head:
        return None
    tools.workshop.refresh(repository)
    if tools.workshop.head(repository, pursuit.branch) != last.head:
        return None
    _say(key, "change", f"goes on with #{pursuit.number} at {short(last.head)}", tools)
    return Outcome(kind=OutcomeKind.SUCCEEDED, summary=f"Goes on with #{pursuit.number}.", head=last.head)


def _resolved(key: StageKey, repository: Repository, spec: TaskSpec, lease: Lease, tools: Toolbox) -> Outcome | None:
    """The seed's check right before dispatch: a failure or an issue may have gone away since the audit."""
    pulls = tools.pulls_of(repository)
    if pulls is None or not spec.names or _ASKED in spec.sources:
        return None
    found = pulls.still(repository, spec.names)
    for _ in range(_LOOKS):
        if found.still is not Still.RUNNING or lease.halt.wait(tools.settings.ci_poll / 2):
            break
        found = pulls.still(repository, spec.names)
    if found.still is Still.GONE:
        return Outcome(kind=OutcomeKind.ALREADY_DONE, summary=f"self-resolved: {found.why}")
    _say(key, "recheck", f"still to be done: {found.why}", tools)
    return None


def _say(key: StageKey, what: str, text: str, tools: Toolbox) -> None:
    tools.note(key, EventKind.EVIDENCE, {"what": what, "text": text})
