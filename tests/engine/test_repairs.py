"""Repairs that need no worker: steps are called as a job or the reconciler would, in an order that faults make."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_orchestrate.core.attempt import OutcomeKind, Settlement, StageKey
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.finding import FindingKind
from ops_orchestrate.core.promotion import Promotion, PromotionState
from ops_orchestrate.core.states import RunState, Stage, TaskState
from ops_orchestrate.engine.answer import answer, cancel
from ops_orchestrate.engine.audit import audit_part, give_up, part_lock
from ops_orchestrate.engine.finish import finish
from ops_orchestrate.engine.lease import last_beat
from ops_orchestrate.engine.promotion.book import promotions_due
from ops_orchestrate.engine.reconcile import reconcile
from ops_orchestrate.engine.salvage import sweep
from ops_orchestrate.engine.structure import make_plan, plan
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import OpsError
from ops_orchestrate.ledger import PREFIX, taking
from ops_orchestrate.wiring import make_toolbox
from tests.builders import make_finding, make_outcome, make_part, make_request, make_settlement
from tests.engine.rig import Rig, requested
from tests.ledger.play import at_stage, ended
from tests.repos import git

pytestmark = pytest.mark.real


@pytest.fixture
def tools(rig: Rig) -> Toolbox:
    return make_toolbox(rig.settings, rig.ledger)


@pytest.fixture
def impatient(tmp_path: Path, server_url: str) -> Rig:
    """A rig whose grants and leases end almost at once."""
    return Rig.build(tmp_path, server_url, OPS_GRANT_TIMEOUT="0.01", OPS_LEASE="0.03", OPS_HEARTBEAT="0.01")


def state(rig: Rig, run: str) -> RunState:
    return rig.ledger.runs.get(run).state


def audited(rig: Rig, run: str, tools: Toolbox) -> None:
    for part in rig.ledger.runs.missing_parts(run):
        audit_part(run, part, "test", tools)


def test_a_plan_that_comes_late_takes_nothing_from_others(rig: Rig, tools: Toolbox) -> None:
    """A message may be delivered again an hour after its job: what another run has left since is not this one's."""
    other = rig.submit([requested("two")])
    audited(rig, other, tools)
    plan(other, tools)
    run = rig.submit([requested("one"), requested("two")])
    audited(rig, run, tools)
    plan(run, tools)
    rig.ledger.runs.request_stop(other, "now", by="ann")
    finish(other, tools)
    assert state(rig, other) is RunState.STOPPED
    before = rig.task(other, "two")
    plan(run, tools)
    assert rig.task(other, "two") == before
    assert [task.spec.id for task in rig.ledger.tasks.all(run)] == ["one"]


def test_one_plans_at_a_time(rig: Rig, tools: Toolbox) -> None:
    run = rig.submit([requested("one")])
    audited(rig, run, tools)
    assert rig.ledger.locks.acquire(f"plan:{run}", "another planner", 60)
    plan(run, tools)
    assert state(rig, run) is RunState.AUDITING
    rig.ledger.locks.release(f"plan:{run}", "another planner")
    plan(run, tools)
    assert state(rig, run) is RunState.RUNNING


def test_the_plan_waits_for_every_part(rig: Rig, tools: Toolbox) -> None:
    """A part that was published twice is counted by the chord when its second delivery has found it taken."""
    run = rig.submit([requested("one")])
    first, last = rig.ledger.runs.missing_parts(run)
    audit_part(run, last, "test", tools)
    rig.ledger.locks.acquire(part_lock(run, first), "another delivery", 60)
    audit_part(run, first, "test", tools)
    plan(run, tools)
    finish(run, tools)
    assert (state(rig, run), rig.ledger.tasks.all(run)) == (RunState.AUDITING, [])
    rig.ledger.locks.release(part_lock(run, first), "another delivery")
    audited(rig, run, tools)
    plan(run, tools)
    (task,) = rig.ledger.tasks.all(run)
    assert (state(rig, run), task.spec.base) == (RunState.RUNNING, "dev")


def test_a_second_plan_says_nothing_twice(rig: Rig, tools: Toolbox) -> None:
    (rig.upstreams["app"].checkout / "draft.txt").write_text("not committed\n")
    run = rig.submit([requested("one")])
    audited(rig, run, tools)
    plan(run, tools)
    before = rig.events(run)
    plan(run, tools)
    assert rig.events(run) == before


def test_a_part_that_was_given_up_is_unknown_by_its_projects(rig: Rig, tools: Toolbox) -> None:
    run = rig.submit([requested("one")])
    for part in rig.ledger.runs.missing_parts(run):
        give_up(run, part, "it ends every worker", tools)
    unknown = {skipped.name for part in rig.ledger.runs.parts(run).values() for skipped in part.unknown}
    assert unknown == {"app", "tasks-file"}


def test_a_run_that_began_at_a_time_to_come_is_repaired_as_any_other(rig: Rig, tools: Toolbox) -> None:
    """The clock has gone back since: it would be new for as long."""
    run = rig.submit([requested("one")])
    part = rig.ledger.runs.missing_parts(run)[0]
    reconcile(tools)
    assert not rig.ledger.locks.holder(f"tried:{run}:{part}:0"), "it has just begun"
    rig.ledger.board._server.client.hset(f"{PREFIX}run:{run}", "created_at", rig.ledger.now() + 3600)
    reconcile(tools)
    assert rig.ledger.locks.holder(f"tried:{run}:{part}:0")


def test_a_last_step_that_was_decided_at_a_time_to_come_is_looked_at_now(rig: Rig, tools: Toolbox) -> None:
    run = rig.submit([requested("one")])
    now = rig.ledger.now()
    waits = Promotion(state=PromotionState.PENDING, at=now, wake_at=now + 3700)
    for at, is_due in ((now, False), (now + 3600, True), (None, False)):
        if at:
            known = waits.model_copy(update={"at": at}).model_dump(mode="json")
            rig.ledger.runs.set_promotion(run, "back:app", known)
        ((key, stamp),) = promotions_due(run, tools)
        assert (key, bool(stamp)) == ("back:app", is_due)


def test_a_part_that_ends_every_worker_is_given_up_after_a_while(impatient: Rig) -> None:
    tools = make_toolbox(impatient.settings, impatient.ledger)
    run = impatient.submit([requested("one")])
    looks = 0
    while impatient.ledger.runs.missing_parts(run):
        reconcile(tools)
        looks += 1
        assert looks < 500
    assert all(part.unknown for part in impatient.ledger.runs.parts(run).values())


def test_a_run_that_is_stopped_while_it_is_audited_ends_at_once(rig: Rig, tools: Toolbox) -> None:
    run = rig.submit([requested("one")])
    rig.ledger.runs.request_stop(run, "salvage", by="test")
    finish(run, tools)
    assert state(rig, run) is RunState.STOPPED
    rig.ledger.runs.resume(run)
    audited(rig, run, tools)
    plan(run, tools)
    assert state(rig, run) is RunState.RUNNING


def test_a_lost_edge_is_repaired_while_others_are_at_work(rig: Rig, tools: Toolbox) -> None:
    """Nobody waits for what is at work elsewhere: `next` starts although `long` is far from its end."""
    paths = {name: (f"{name}/",) for name in ("first", "long", "next")}
    tasks = [requested(name, paths=paths[name]) for name in ("first", "long")]
    run = rig.submit([*tasks, requested("next", blocked_by=["first"], paths=paths["next"])])
    audited(rig, run, tools)
    plan(run, tools)
    board = rig.ledger.board.look(5)
    (pick,) = [one for one in board.candidates if one.task == "long"]
    assert rig.ledger.board.grant(board, [pick], lease=60)
    done = Settlement(state=TaskState.COMPLETED, reason="test")
    assert rig.ledger.tasks.settle_planned(run, "first", done)
    rig.ledger.tasks.edges_done(run, "first")  # as if it had been offered, and that was lost
    assert [one.task for one in rig.ledger.board.look(5).candidates] == []
    reconcile(tools)
    assert [one.task for one in rig.ledger.board.look(5).candidates] == ["next"]


def test_a_retry_takes_nothing_that_another_run_has_planned_since(rig: Rig, tools: Toolbox) -> None:
    """Two runs never hold the same work, also where a person asks for the older one again."""
    runs = []
    for description in ("as it was", "as it is now"):
        runs.append(rig.submit([requested("one", description=description)]))
        audited(rig, runs[-1], tools)
        plan(runs[-1], tools)
        if len(runs) == 1:
            cancel(runs[0], "one", by="test", reason="no", tools=tools)
    with pytest.raises(OpsError, match=f"Run {runs[1]} has planned one since then"):
        answer(runs[0], "one", "retry", by="test", tools=tools)
    assert [rig.task(run, "one").state for run in runs] == [TaskState.CANCELLED, TaskState.QUEUED]
    cancel(runs[1], "one", by="test", reason="no", tools=tools)
    answer(runs[0], "one", "retry", by="test", tools=tools)
    with pytest.raises(OpsError, match=f"Run {runs[0]} has planned one since then"):
        answer(runs[1], "one", "retry", by="test", tools=tools)


def test_a_planner_that_dies_between_its_claims_and_its_plan_leaves_what_was_made_to_the_next(
    rig: Rig, tools: Toolbox
) -> None:
    """The commit that an ended run could not prove is verified, by whichever planner comes that far."""
    before = rig.submit([requested("one")], gate="true")
    audited(rig, before, tools)
    plan(before, tools)
    key = at_stage(rig.ledger, Stage.VERIFY, "one", before)
    waits = make_outcome(OutcomeKind.WAITING, ask="verify", head="h1")
    ended(rig.ledger, key, Stage.VERIFY, waits, goes_on=False)
    rig.ledger.attempts.settle(key, make_settlement(TaskState.BLOCKED, ask="verify"))
    assert rig.ledger.runs.finish(before, RunState.HALTED, "")
    run = rig.submit([requested("one")])
    audited(rig, run, tools)
    made = make_plan(rig.ledger.runs.get(run), tools, boards=rig.ledger)
    assert (made.over, rig.task(before, "one").state) == (((before, "one"),), TaskState.CANCELLED)
    plan(run, tools)
    spec = rig.task(run, "one").spec
    assert (spec.begun_at, spec.begun_by) == ("h1", f"{before}/one")


def test_what_a_dead_planner_claimed_and_the_next_one_does_not_plan_is_given_back(
    rig: Rig, tools: Toolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a defect that two sources report it had claimed the first report; the second one is another run's since."""
    monkeypatch.setattr(taking, "AT_ONCE", 1)
    issue, ticket = [
        make_finding(print_, kind=kind, title=print_, names=("o/app#1",))
        for print_, kind in (("fp-1", FindingKind.ISSUE), ("fp-2", FindingKind.TICKET))
    ]
    found = [("app", one) for one in ("fp-1", "fp-2", "fp-3")]
    for run in ("r1", "r2"):
        assert rig.ledger.runs.begin(run, make_request(), host="h", parts=["git"])
    assert rig.ledger.runs.put_part("r1", make_part("git", issue, ticket, make_finding("fp-3", title="else")))
    scripts = rig.ledger._scripts

    def dying(name: str, *args: str | float) -> object:
        if name == "claims_take" and "fp-2" in str(args[-1]):
            raise ConnectionError
        return scripts(name, *args)

    with monkeypatch.context() as died, pytest.raises(ConnectionError):
        died.setattr(rig.ledger.claims._taking, "_scripts", dying)
        make_plan(rig.ledger.runs.get("r1"), tools, boards=rig.ledger)
    assert rig.ledger.claims.look(found).keys() == {found[0]}
    assert not rig.ledger.claims.take("r2", [(*found[1], "u1", "")])
    made = make_plan(rig.ledger.runs.get("r1"), tools, boards=rig.ledger)
    assert [take[:2] for take in made.takes] == [found[2]]
    assert {one: view.run for one, view in rig.ledger.claims.look(found).items()} == {found[1]: "r2", found[2]: "r1"}


@pytest.mark.parametrize(
    ("lease", "grace", "expected"),
    [(90, 10, (60, 10)), (6, 1, (3.5, 1)), (90, 60, (37.5, 22.5)), (4, 0.1, (8 / 3, 0.1))],
)
def test_a_supervisors_ladder_has_ended_before_the_lease(
    rig: Rig, lease: float, grace: float, expected: tuple[float, float]
) -> None:
    settings = rig.settings.model_copy(update={"lease": lease, "grace": grace})
    beat, rung = last_beat(settings)
    assert (round(beat, 3), rung) == (round(expected[0], 3), expected[1])
    assert beat + 2 * rung < lease


@pytest.mark.parametrize("left", ["nothing", "a commit", "a file"])
def test_the_tree_of_a_killed_agent_is_salvaged_whatever_is_in_it(rig: Rig, tools: Toolbox, left: str) -> None:
    """Also a tree without a change: there is nothing to keep, and nobody is warned."""
    run = rig.submit([requested("one")])
    key = StageKey(run=run, task="one", attempt=1, fence=7)
    repository = tools.ledger.runs.get(run).request.portfolio.projects[0].repositories[0]
    tools.workshop.refresh(repository)
    base = tools.workshop.head(repository, "dev") or ""
    tree = Path(tools.workshop.prepare(repository, key, base).path)
    if left != "nothing":
        (tree / "new.txt").write_text("mine\n")
    if left == "a commit":
        git("add", "new.txt", cwd=tree)
        git("commit", "-qm", "Add it", cwd=tree)
    assert sweep(tools) == 1
    assert not tree.exists() and sweep(tools) == 0
    events = rig.events(run)
    assert [event.data["text"] for event in events if event.kind is EventKind.WARNING] == []
    refs = [event.data["ref"] for event in events if event.kind is EventKind.SALVAGED]
    mirror = rig.settings.state_dir / "mirrors" / f"{repository.key}.git"
    kept = [git("show", f"{ref}:new.txt", cwd=mirror).strip() for ref in refs]
    assert kept == ([] if left == "nothing" else ["mine"])
