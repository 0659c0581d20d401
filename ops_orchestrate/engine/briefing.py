"""The brief of an attempt, put together from the ledger: the task, its team, and what went before."""

from __future__ import annotations

from collections.abc import Sequence

from ops_orchestrate.core.attempt import HandOver, StageKey
from ops_orchestrate.core.brief import digest, write_brief
from ops_orchestrate.core.change import GateEnd, GateResult
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.narrowing import failures_of
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.core.states import FINAL, IN_FLIGHT
from ops_orchestrate.core.steering import Delivery
from ops_orchestrate.core.task import TaskMode, TaskRecord, TaskSpec
from ops_orchestrate.core.team import team_of
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.engine.verify import gate_key
from ops_orchestrate.errors import AgentUnavailable
from ops_orchestrate.ports import AgentTree


def brief_of(key: StageKey, run: RunRecord, spec: TaskSpec, tree: AgentTree, tools: Toolbox) -> tuple[str, int]:
    """The brief, recorded by its digest, and the number of the last message in it.

    Raises AgentUnavailable for one that an earlier attempt had: the same brief is never sent twice.
    """
    repository = run.request.portfolio.repository(spec.repo)
    gate = gate_key(repository, tools.workshop.tree_of(repository, tree.base))
    facts = tools.ledger.looks.brief(key.run, key.task, spec.repo, blockers=spec.blocked_by, gate=gate)
    letters, tasks = facts.letters, tools.ledger.tasks
    hand_overs = tasks.handed_over(key.run, facts.blockers)
    earlier = failures_of(tasks.attempts_before(key))
    everybody = _neighbours(key.run, spec, facts.writers, tools)
    brief = write_brief(
        spec,
        repository=repository,
        branch=tree.branch,
        base=tree.base,
        attempt=key.attempt,
        hand_overs=hand_overs,
        failures=earlier,
        notes=facts.notes,
        not_owned=_not_owned(spec, everybody),
        baseline_red=_red_base(repository, facts.gate),
        team=team_of(spec, everybody, _repository_names(run)),
        letters=letters,
    )
    told = [_told(given) for given in hand_overs]
    if not tools.ledger.attempts.describe(key, branch=tree.branch, brief_digest=digest(brief), told=told):
        raise AgentUnavailable("The brief is the same as that of an earlier attempt: nothing new is known to try.")
    if letters:
        tools.ledger.mail.told(key, letters[-1].number, Delivery.BRIEF.value)
    return brief, len(letters)


def _told(given: HandOver) -> dict[str, str]:
    """What the log says that the brief passes on."""
    return {"what": "hand-over", "from": given.task, "merge": given.merge, "text": one_line(given.summary, 300)}


def _neighbours(run: str, spec: TaskSpec, writers: Sequence[tuple[str, str]], tools: Toolbox) -> list[TaskRecord]:
    """Whom the brief may name: the whole run to a member of a team, else who is at work in the same repository.

    All tasks are read for members only: for every attempt of a large plan it would be quadratic.
    """
    if spec.mode is TaskMode.TEAM:
        return tools.ledger.tasks.all(run)
    others = [task for of, task in writers if of == run and task != spec.id]
    return tools.ledger.tasks.many(run, others) if others else []


def _not_owned(spec: TaskSpec, everybody: Sequence[TaskRecord]) -> list[tuple[str, str]]:
    """Paths of others in the same repository, and whose they are: of those at work, to a team of all that will be."""
    found = [t for t in everybody if t.spec.repo == spec.repo and t.spec.id != spec.id and t.state not in FINAL]
    if spec.mode is not TaskMode.TEAM:
        found = [t for t in found if t.state in IN_FLIGHT]
    return [(path, t.spec.member or t.spec.id) for t in found for path in t.spec.paths]


def _repository_names(run: RunRecord) -> dict[str, str]:
    return {one.key: one.name for project in run.request.portfolio.projects for one in project.repositories}


def _red_base(repository: Repository, known: GateResult | None) -> str | None:
    """The end of the gate's log on the base, where it is known to be red."""
    return known.log_tail if repository.gate is not None and known and known.end is GateEnd.FAILED else None
