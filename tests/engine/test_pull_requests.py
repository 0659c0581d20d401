"""Changes that go through pull requests: real workers, real git over HTTP, and a GitHub that keeps its own record."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.engine.answer import answer
from ops_orchestrate.report.check import violations
from ops_orchestrate.standin.profile import JobPlan
from tests.engine.forge_rig import JOB, ForgeRig, forge_standing
from tests.engine.rig import requested, work

pytestmark = pytest.mark.real

_NUMBERS = count(1)


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForgeRig]:
    """One set of workers, and one GitHub, for the whole file."""
    with forge_standing(tmp_path_factory.mktemp("pulls")) as made:
        made.rig.start()
        yield made


@pytest.fixture
def forge(workers: ForgeRig) -> ForgeRig:
    """A repository of the test's own."""
    workers.repository(f"repo{next(_NUMBERS)}")
    return workers


def go(forge: ForgeRig, task: str = "go", **request: object) -> str:
    """Begin a run with one task; the run."""
    return forge.rig.submit([requested(task, forge.slug.split("/")[1])], portfolio=forge.portfolio(), **request)


def of(events: list[Event], kind: EventKind) -> list[Event]:
    return [event for event in events if event.kind is kind]


def test_a_change_is_pushed_opened_checked_and_squashed_into_dev(forge: ForgeRig) -> None:
    run = go(forge)
    events = forge.rig.finish(run)
    task = forge.rig.task(run, "go")
    assert task.state is TaskState.COMPLETED, forge.rig.story()
    pull = forge.control.pull(forge.slug, 1)
    assert (pull.merged, pull.base_ref, pull.head_ref) == (True, "dev", f"ops/{run}/go")
    assert task.change == "#1"
    assert task.merge == forge.head("dev")
    assert not violations(events)
    (proved,) = of(events, EventKind.MERGE_PROVED)
    assert proved.data["commit"] == forge.head("dev")
    assert forge.rig.ledger.runs.get(run).state is RunState.DONE


def test_red_ci_sends_the_change_back_and_the_next_attempt_goes_on_from_it(forge: ForgeRig) -> None:
    broken = [{"write": {"path": "RED", "text": "x"}}, *work("go")]
    mended = [{"delete": {"path": "RED"}}, *work("go", path="src/more.txt")]
    forge.rig.play({"go": [broken, mended]})
    run = go(forge)
    events = forge.rig.finish(run)
    task = forge.rig.task(run, "go")
    assert task.state is TaskState.COMPLETED, forge.rig.story()
    assert (task.attempt, task.change) == (2, "#1")
    assert len(forge.merges()) == 1
    assert not violations(events)


def test_without_force_it_waits_for_a_yes_to_this_very_head(forge: ForgeRig) -> None:
    forge.rig.play({"*": [work("any")]})
    run = go(forge, force=False)
    forge.rig.finish(run)
    assert forge.rig.task(run, "go").ask == "approve"
    assert not forge.merges()
    answer(run, "go", "yes", by="test", tools=forge.rig.tools)
    forge.rig.finish(run)
    assert forge.rig.task(run, "go").state is TaskState.COMPLETED, forge.rig.story()


def test_no_main_asks_before_a_merge_into_main_also_with_force(workers: ForgeRig) -> None:
    workers.repository(f"repo{next(_NUMBERS)}", JOB, integration="main", unprotected_ok=True)
    workers.rig.play({"*": [work("any")]})
    run = go(workers, no_main=True, force=True)
    workers.rig.finish(run)
    assert workers.rig.task(run, "go").ask == "approve", workers.rig.story()
    assert not workers.merges()
    answer(run, "go", "yes", by="test", tools=workers.rig.tools)
    workers.rig.finish(run)
    assert workers.rig.task(run, "go").state is TaskState.COMPLETED, workers.rig.story()


def test_a_promotion_is_a_pinned_pull_request_and_a_merge_commit(workers: ForgeRig) -> None:
    workers.repository(f"repo{next(_NUMBERS)}", JOB, promote=True)
    run = go(workers)
    events = workers.rig.finish(run)
    (promoted,) = of(events, EventKind.PROMOTED)
    assert promoted.data["commit"] == workers.head("main"), workers.rig.story()
    assert promoted.data["change"] == "#2"


def test_a_flaky_job_is_run_again_and_costs_no_attempt(workers: ForgeRig) -> None:
    workers.repository(f"repo{next(_NUMBERS)}", JobPlan("test", result=["cancelled", "success"]))
    run = go(workers)
    workers.rig.finish(run)
    task = workers.rig.task(run, "go")
    assert (task.state, task.attempt) == (TaskState.COMPLETED, 1), workers.rig.story()


def test_two_changes_to_one_base_go_one_after_the_other_each_checked_on_what_it_is_merged_onto(forge: ForgeRig) -> None:
    name = forge.slug.split("/")[1]
    forge.rig.play({"one": [work("one")], "two": [work("two")]})
    tasks = [requested("one", name, paths=("src/one.txt",)), requested("two", name, paths=("src/two.txt",))]
    run = forge.rig.submit(tasks, portfolio=forge.portfolio())
    events = forge.rig.finish(run)
    assert {forge.rig.task(run, task).state for task in ("one", "two")} == {TaskState.COMPLETED}, forge.rig.story()
    assert len(forge.merges()) == 2
    assert not violations(events)


def test_a_red_dev_whose_runner_broke_is_run_again_and_no_agent_is_paid(workers: ForgeRig) -> None:
    workers.repository(f"repo{next(_NUMBERS)}")
    lost = "The hosted runner lost communication with the server."
    job = JobPlan("nightly", result=["failure", "success"], steps=(), annotation=lost)
    workers.control.ci(workers.slug, path=".github/workflows/nightly.yml", on=["push"], branches=["dev"], jobs=[job])
    for number in range(3):
        workers.control.push(workers.slug, "dev", {f"{number}.txt": "x"})
    run = workers.rig.submit([], portfolio=workers.portfolio())
    workers.rig.finish(run)
    workers.rig.until(
        lambda: bool([e for e in workers.rig.events(run) if e.data.get("what") == "rerun"]),
        20,
        "the run to be run again",
    )
    assert not workers.rig.ledger.tasks.all(run)
    again = [one for one in workers.control.repository(workers.slug).runs.values() if len(one.attempts) == 2]
    assert len(again) == 1


@pytest.mark.parametrize(
    ("method", "path", "effect"),
    [
        ("POST", r".*/git-receive-pack", "pull-opened"),
        ("POST", r"/repos/[^/]+/[^/]+/pulls", "pull-opened"),
        ("PUT", r".*/merge", "pull-merged"),
    ],
)
def test_a_killed_ship_worker_opens_and_merges_nothing_twice(
    forge: ForgeRig, method: str, path: str, effect: str
) -> None:
    forge.control.fault("delay", method=method, path=path, seconds=1.0)
    forge.rig.play({"*": [work("any")]})
    journal = forge.control.journal
    before = sum(one.kind == "fault" for one in journal.entries)
    run = go(forge)
    forge.rig.until(lambda: sum(one.kind == "fault" for one in journal.entries) > before, 60, f"the {method}")
    forge.rig.kill("ship")
    forge.rig.start("ship")
    events = forge.rig.finish(run)
    assert forge.rig.task(run, "go").state is TaskState.COMPLETED, forge.rig.story()
    assert len(journal.effects(effect, forge.slug)) == 1
    assert (len(forge.control.repository(forge.slug).pulls), len(forge.merges())) == (1, 1)
    assert not violations(events)


@pytest.mark.parametrize("after", [False, True])
def test_a_ship_worker_that_is_killed_at_a_rerun_asks_for_none_twice(workers: ForgeRig, after: bool) -> None:
    """Killed while GitHub has the request: before it is carried out, or when it is and the answer is still to come."""
    workers.repository(f"repo{next(_NUMBERS)}", JobPlan("test", result=["cancelled", "success"]))
    workers.control.fault("delay", method="POST", path=r".*/rerun-failed-jobs", seconds=1.0, after=after)
    workers.rig.play({"*": [work("any")]})
    journal = workers.control.journal
    before = sum(one.kind == "fault" for one in journal.entries)
    run = go(workers)
    workers.rig.until(lambda: sum(one.kind == "fault" for one in journal.entries) > before, 60, "the rerun")
    workers.rig.kill("ship")
    workers.rig.start("ship")
    events = workers.rig.finish(run)
    assert workers.rig.task(run, "go").state is TaskState.COMPLETED, workers.rig.story()
    assert len(journal.effects("rerun", workers.slug)) == 1
    assert len(workers.merges()) == 1
    assert not violations(events)
