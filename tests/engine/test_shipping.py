"""Verify and ship on real workers: what fails is tried again differently, what a person must see waits, by commit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from ops_orchestrate.core.attempt import OutcomeKind
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.engine.answer import answer
from ops_orchestrate.engine.promotion.step import promote
from ops_orchestrate.report.check import violations
from ops_orchestrate.wiring import make_toolbox
from tests.engine.rig import Rig, requested, work
from tests.repos import advance, git, head, read

_NUMBERS = count(1)

pytestmark = [pytest.mark.real]


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory, server_url: str) -> Iterator[Rig]:
    """One set of workers for the whole file."""
    made = Rig.build(tmp_path_factory.mktemp("rig"), server_url)
    made.start()
    yield made
    made.close()


@pytest.fixture
def rig(workers: Rig) -> Rig:
    """A fresh repository of the test's own, served by the same workers."""
    workers.repository(f"app{next(_NUMBERS)}")
    return workers


def reply(rig: Rig, run: str, task: str, word: str) -> None:
    """Answer as a person would."""
    answer(run, task, word, by="test", tools=make_toolbox(rig.settings, rig.ledger))


def test_a_failed_gate_is_tried_again_with_a_different_brief(rig: Rig) -> None:
    broken = [{"write": {"path": "broken", "text": "x"}}, {"commit": {"message": "Break it"}}]
    rig.play({"mend": [broken, work("mend")]})
    run = rig.submit([requested("mend", rig.newest)])
    assert violations(rig.finish(run)) == []
    attempts = rig.ledger.tasks.attempts(run, "mend")
    outcomes = [rig.ledger.attempts.outcome_of(run, "mend", n) for n in (1, 2)]
    assert [o.kind for o in outcomes if o] == [OutcomeKind.REJECTED, OutcomeKind.MERGED]
    assert attempts[0].brief_digest != attempts[1].brief_digest
    assert rig.task(run, "mend").state is TaskState.COMPLETED
    assert read(rig.upstream.bare, "dev", "broken") is None


def test_claims_without_a_commit_are_discarded_after_the_last_attempt(rig: Rig) -> None:
    rig.play({"talk": [[{"report": {"status": "done", "summary": "all done, trust me"}}]]})
    run = rig.submit([requested("talk", rig.newest)])
    rig.finish(run)
    task = rig.task(run, "talk")
    assert task.state is TaskState.DISCARDED
    assert "changed nothing" in task.reason
    assert len(rig.ledger.tasks.attempts(run, "talk")) == rig.settings.max_attempts
    assert rig.ledger.runs.get(run).state is RunState.HALTED


def test_a_secrets_file_is_refused_and_stays_out(rig: Rig) -> None:
    rig.play({"leak": [work("leak", path=".env")]})
    run = rig.submit([requested("leak", rig.newest)])
    rig.finish(run)
    task = rig.task(run, "leak")
    assert (task.state, task.ask) == (TaskState.BLOCKED, "retry")
    assert task.reason.startswith("secret-files: ")
    assert read(rig.upstream.bare, "dev", ".env") is None


def test_without_force_a_merge_waits_for_a_yes_bound_to_its_commit(rig: Rig) -> None:
    rig.play({"ask": [work("ask")]})
    before = head(rig.upstream.bare, "dev")
    run = rig.submit([requested("ask", rig.newest)], force=False)
    rig.finish(run)
    waiting = rig.task(run, "ask")
    assert (waiting.state, waiting.ask) == (TaskState.BLOCKED, "approve")
    assert head(rig.upstream.bare, "dev") == before
    reply(rig, run, "ask", "yes")
    assert violations(rig.finish(run)) == []
    done = rig.task(run, "ask")
    assert (done.state, done.head) == (TaskState.COMPLETED, waiting.head)
    assert rig.ledger.tasks.approved(run, "ask") == waiting.head


def test_a_sensitive_change_waits_and_is_shipped_after_a_yes(rig: Rig) -> None:
    rig.play({"login": [work("login", path="src/auth.py")]})
    run = rig.submit([requested("login", rig.newest)])
    rig.finish(run)
    assert rig.task(run, "login").ask == "approve-change"
    reply(rig, run, "login", "yes")
    assert violations(rig.finish(run)) == []
    assert rig.task(run, "login").state is TaskState.COMPLETED


def test_a_base_that_moved_is_verified_again(rig: Rig) -> None:
    rig.play({"late": [work("late")]})
    run = rig.submit([requested("late", rig.newest)], force=False)
    rig.finish(run)
    theirs = advance(rig.upstream, "dev", {"theirs.txt": "theirs"})
    reply(rig, run, "late", "yes")
    events = rig.finish(run)
    assert rig.task(run, "late").state is TaskState.COMPLETED
    merge = rig.task(run, "late").merge
    assert git("rev-parse", f"{merge}^", cwd=rig.upstream.bare) == theirs
    verdicts = [e for e in events if e.kind is EventKind.VERDICT and e.data["kind"] == "verified"]
    assert [v.data["base"] for v in verdicts][-1] == theirs


def test_a_conflict_is_tried_again_from_the_new_base(rig: Rig) -> None:
    rig.play({"same": [work("same", path="src/x.txt"), work("same", path="src/y.txt")]})
    run = rig.submit([requested("same", rig.newest)], force=False)
    rig.finish(run)
    advance(rig.upstream, "dev", {"src/x.txt": "somebody else was faster\n"})
    reply(rig, run, "same", "yes")
    rig.until(lambda: len(rig.ledger.tasks.attempts(run, "same")) == 2, 30, "a second attempt")
    rig.finish(run)
    first = rig.ledger.attempts.outcome_of(run, "same", 1)
    assert first is not None
    assert first.kind is OutcomeKind.CONFLICT
    assert "src/x.txt" in first.summary


def test_a_protected_branch_refuses_and_the_command_is_named(rig: Rig) -> None:
    hook = rig.upstream.bare / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'dev is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    rig.play({"guarded": [work("guarded")]})
    run = rig.submit([requested("guarded", rig.newest)])
    events = rig.finish(run)
    task = rig.task(run, "guarded")
    assert (task.state, task.ask) == (TaskState.BLOCKED, "land")
    assert "dev is protected" in task.reason
    refused = [e for e in events if e.kind is EventKind.MERGE_REFUSED]
    assert "push" in refused[0].data["command"]
    hook.unlink()
    reply(rig, run, "guarded", "yes")
    assert violations(rig.finish(run)) == []
    assert rig.task(run, "guarded").state is TaskState.COMPLETED


def test_a_checked_out_branch_is_left_to_the_person_who_has_it(rig: Rig) -> None:
    checkout = rig.upstream.checkout
    git("checkout", "--quiet", "-B", "dev", "origin/dev", cwd=checkout)
    git("remote", "remove", "origin", cwd=checkout)
    rig.play({"mine": [work("mine")]})
    run = rig.submit([requested("mine", rig.newest)], upstream=checkout)
    events = rig.finish(run)
    assert rig.task(run, "mine").state is TaskState.BLOCKED
    command = next(e for e in events if e.kind is EventKind.MERGE_REFUSED).data["command"]
    assert command.startswith(f"git -C {checkout} merge --ff-only ")
    git(*command.split()[3:], cwd=checkout)
    assert (checkout / "src" / "mine.txt").read_text() == "mine\n"
    reply(rig, run, "mine", "yes")
    rig.finish(run)
    assert rig.task(run, "mine").state is TaskState.COMPLETED


@pytest.mark.parametrize("no_main", [False, True])
def test_promotion_is_a_merge_commit_and_dev_catches_up(rig: Rig, no_main: bool) -> None:
    rig.play({"go": [work("go")]})
    main = head(rig.upstream.bare, "main")
    run = rig.submit([requested("go", rig.newest)], no_main=no_main, promote=True)
    rig.finish(run)
    bare = rig.upstream.bare
    if no_main:
        assert head(bare, "main") == main
        return
    merge = rig.task(run, "go").merge
    assert git("log", "-1", "--format=%P", "main", cwd=bare).split() == [main, merge]
    assert head(bare, "dev") == head(bare, "main")
    assert read(bare, "main", "src/go.txt") == "go"


def test_integration_catches_up_when_a_worker_died_after_the_promotion(rig: Rig) -> None:
    rig.play({"go": [work("go")]})
    run = rig.submit([requested("go", rig.newest)], promote=True)
    rig.finish(run)
    bare, merge = rig.upstream.bare, rig.task(run, "go").merge
    git("update-ref", "refs/heads/dev", merge, cwd=bare)  # as if the second push had never happened
    promote(run, rig.newest, "test", make_toolbox(rig.settings, rig.ledger))
    assert head(bare, "dev") == head(bare, "main") != merge


def test_max_waves_halts_with_the_rest_named(rig: Rig) -> None:
    rig.play({"*": [work("any")]})
    tasks = [requested("w0", rig.newest), requested("w1", rig.newest, blocked_by=["w0"])]
    run = rig.submit(tasks, max_waves=1)
    rig.finish(run)
    record = rig.ledger.runs.get(run)
    assert (record.state, rig.task(run, "w1").state) == (RunState.HALTED, TaskState.QUEUED)
    assert "--max-waves" in record.reason


def test_fires_only_keeps_fires_and_what_blocks_them(rig: Rig) -> None:
    rig.play({"*": [work("any")]})
    tasks = [
        requested("base", rig.newest, priority="P3"),
        requested("fire", rig.newest, priority="P0", blocked_by=["base"]),
        requested("later", rig.newest, priority="P2"),
    ]
    run = rig.submit(tasks, fires_only=True)
    rig.finish(run)
    assert [task.spec.id for task in rig.ledger.tasks.all(run)] == ["base", "fire"]


def test_what_was_done_is_not_done_again(rig: Rig) -> None:
    rig.play({"once": [work("once")]})
    first = rig.submit([requested("once", rig.newest)])
    rig.finish(first)
    second = rig.submit([requested("once", rig.newest)])
    rig.finish(second)
    assert rig.ledger.tasks.all(second) == []
    assert any(f"done since in run {first}" in reason for reason in rig.ledger.runs.get(second).skipped)


def test_two_runs_never_hold_the_same_work(rig: Rig) -> None:
    rig.play({"shared": [work("shared", seconds=2)]})
    first = rig.submit([requested("shared", rig.newest)])
    rig.until(lambda: bool(rig.ledger.board.slots()), 20, "the first to start")
    second = rig.submit([requested("shared", rig.newest)])
    rig.finish(second)
    assert any(f"owned by run {first}" in reason for reason in rig.ledger.runs.get(second).skipped)
    rig.finish(first)
    assert rig.task(first, "shared").state is TaskState.COMPLETED


def test_a_red_base_is_mended_first_and_what_waited_is_verified_again(rig: Rig) -> None:
    advance(rig.upstream, "dev", {"gate.sh": "test -e mended || { echo 'FAIL: not mended'; exit 1; }\n"})
    rig.play({f"{rig.newest}-red-baseline-*": [work("mend", path="mended", seconds=1.5)], "other": [work("other")]})
    run = rig.submit([requested("other", rig.newest, paths=("src/",))])
    events = rig.finish(run)
    states = {task.spec.id: task.state for task in rig.ledger.tasks.all(run)}
    assert set(states.values()) == {TaskState.COMPLETED}, states
    assert violations(events) == []
    assert read(rig.upstream.bare, "dev", "src/other.txt") == "other"


def test_the_scratch_of_attempts_is_gone_and_their_refs_are_kept(rig: Rig) -> None:
    rig.play({"tidy": [work("tidy")]})
    run = rig.submit([requested("tidy", rig.newest)])
    rig.finish(run)
    state = rig.settings.state_dir
    rig.until(lambda: not list((state / "trees" / rig.newest).iterdir()), 10, "the tree to go")
    refs = git("for-each-ref", "--format=%(refname)", "refs/ops", cwd=Path(state / "mirrors" / f"{rig.newest}.git"))
    assert f"refs/ops/attempts/{run}/tidy/" in refs


def test_no_main_leaves_main_alone_also_where_it_is_the_integration_branch(rig: Rig) -> None:
    """`--force` does not answer for a person there; a yes to this very commit does."""
    rig.play({"only": [work("only")]})
    before = head(rig.upstream.bare, "main")
    run = rig.submit(
        [requested("only", rig.newest)], portfolio=rig.portfolio(rig.newest, integration="main"), no_main=True
    )
    rig.finish(run)
    waiting = rig.task(run, "only")
    assert (waiting.state, waiting.ask) == (TaskState.BLOCKED, "approve")
    assert "--no-main" in waiting.reason
    assert head(rig.upstream.bare, "main") == before
    reply(rig, run, "only", "yes")
    assert violations(rig.finish(run)) == []
    assert rig.task(run, "only").state is TaskState.COMPLETED
    assert read(rig.upstream.bare, "main", "src/only.txt") == "only"
