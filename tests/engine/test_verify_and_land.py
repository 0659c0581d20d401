"""Verify and land where something else moves at the same time, and what the next brief is told.

The ordinary courses (a failed gate, an answer, a refusal, a promotion) are in test_shipping.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from ops_orchestrate.adapters.gitplace import git_probe
from ops_orchestrate.adapters.registry import load_portfolio
from ops_orchestrate.core.attempt import OutcomeKind
from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.project import Portfolio
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.engine.answer import answer
from ops_orchestrate.errors import UsageError
from ops_orchestrate.report.check import violations
from tests.engine.rig import GATE, Rig, Steps, requested, standing, work
from tests.repos import advance, git, head, push, read

pytestmark = [pytest.mark.real]

_NUMBERS = count(1)


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One set of workers for the whole file."""
    with standing(tmp_path_factory.mktemp("verify")) as made:
        made.start()
        yield made


@pytest.fixture
def rig(workers: Rig) -> Rig:
    """A fresh repository of the test's own, served by the same workers."""
    workers.repository(f"repo{next(_NUMBERS)}")
    return workers


def reply(rig: Rig, run: str, task: str, word: str) -> None:
    """Answer as a person would."""
    answer(run, task, word, by="test", tools=rig.tools)


def of(events: list[Event], kind: EventKind) -> list[Event]:
    return [event for event in events if event.kind is kind]


def hook(bare: Path, script: str) -> None:
    """A hook of the upstream that is asked before anything is accepted."""
    path = bare / "hooks" / "pre-receive"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o755)


def brief_into(path: str, task: str) -> Steps:
    """An attempt that commits the brief it was given."""
    return [{"copy_brief": {"path": path}}, *work(task)]


def test_a_base_that_moves_under_the_push_is_verified_again_and_nothing_is_lost(rig: Rig) -> None:
    """Between verify and land, and later than any look can see: while git is taking the push."""
    bare, checkout = rig.upstream.bare, rig.upstream.checkout
    (checkout / "theirs.txt").write_text("theirs\n")
    git("add", "theirs.txt", cwd=checkout)
    git("commit", "--quiet", "-m", "work of somebody else", cwd=checkout)
    theirs = git("rev-parse", "HEAD", cwd=checkout)
    push(checkout, "elsewhere")
    # git lets no hook move a branch during its own push; somebody else's push is not held up by that.
    moved = f"env -u GIT_QUARANTINE_PATH git --git-dir={bare} update-ref refs/heads/dev {theirs}"
    hook(bare, f"test -e moved && exit 0\ntouch moved\n{moved}\n")
    rig.play({"late": [work("late")]})
    run = rig.submit([requested("late", rig.newest)])
    events = rig.finish(run)
    task = rig.task(run, "late")
    assert (task.state, task.attempt) == (TaskState.COMPLETED, 1)
    assert git("log", "--first-parent", "--format=%H", "dev", cwd=bare).splitlines()[:2] == [task.merge, theirs]
    assert [read(bare, "dev", name) for name in ("theirs.txt", "src/late.txt")] == ["theirs", "late"]
    verdicts = of(events, EventKind.VERDICT)
    assert [verdict.data["kind"] for verdict in verdicts] == ["verified", "verified"]
    assert verdicts[1].data["base"] == theirs != verdicts[0].data["base"]
    assert [event.data["base"] for event in of(events, EventKind.MERGE_PROVED)] == [theirs]
    assert violations(events) == []


def test_an_approval_does_not_pass_on_to_another_commit(rig: Rig) -> None:
    """The approved change conflicts before it is merged; what the next attempt makes waits for a yes of its own."""
    path = "src/auth.py"
    rig.play({"login": [work("login", path=path), [{"append": {"path": path, "text": "two\n"}}, *work("login")]]})
    run = rig.submit([requested("login", rig.newest)])
    rig.finish(run)
    first = rig.task(run, "login")
    assert (first.state, first.ask) == (TaskState.BLOCKED, "approve-change")
    advance(rig.upstream, "dev", {path: "theirs\n"})
    reply(rig, run, "login", "yes")
    rig.finish(run)
    second = rig.task(run, "login")
    assert (second.state, second.ask, second.attempt) == (TaskState.BLOCKED, "approve-change", 2)
    assert rig.ledger.tasks.approved(run, "login") == first.head != second.head
    assert read(rig.upstream.bare, "dev", path) == "theirs"
    reply(rig, run, "login", "yes")
    events = rig.finish(run)
    assert rig.task(run, "login").state is TaskState.COMPLETED
    assert read(rig.upstream.bare, "dev", path) == "theirs\ntwo"
    assert violations(events) == []


def test_an_empty_commit_is_no_work_and_never_done_already(rig: Rig) -> None:
    empty: Steps = [{"run": {"argv": ["git", "commit", "--quiet", "--allow-empty", "-m", "Nothing"]}}, {"report": {}}]
    rig.play({"void": [empty]})
    before = head(rig.upstream.bare, "dev")
    run = rig.submit([requested("void", rig.newest)])
    rig.finish(run)
    task = rig.task(run, "void")
    assert (task.state, task.attempt) == (TaskState.DISCARDED, rig.settings.max_attempts)
    kinds = [a.outcome.kind for a in rig.ledger.tasks.attempts(run, "void") if a.outcome]
    assert kinds == [OutcomeKind.EMPTY] * rig.settings.max_attempts
    assert task.reason.startswith(f"all {rig.settings.max_attempts} attempts failed")
    assert head(rig.upstream.bare, "dev") == before


def test_what_the_base_has_already_is_completed_without_a_merge(rig: Rig) -> None:
    rig.play({"same": [work("same", seconds=1.5)]})
    run = rig.submit([requested("same", rig.newest)])
    rig.until(lambda: bool(of(rig.events(run), EventKind.ATTEMPT_STARTED)), 20, "the attempt to start")
    # Its branch is recorded once its tree is made: from then on it knows no newer base.
    rig.until(lambda: any(a.branch for a in rig.ledger.tasks.attempts(run, "same")), 20, "the tree of the attempt")
    theirs = advance(rig.upstream, "dev", {"src/same.txt": "same\n"})
    events = rig.finish(run)
    task = rig.task(run, "same")
    assert (task.state, task.merge) == (TaskState.COMPLETED, ""), task.reason
    assert head(rig.upstream.bare, "dev") == theirs
    assert of(events, EventKind.MERGE_INTENDED) == []


def test_the_next_brief_says_what_failed_and_the_last_one_what_came_before(rig: Rig) -> None:
    """The gate's own words are in the second brief, and the blocker's hand-over is in its dependant's."""
    rig.play(
        {
            "first": [
                [{"write": {"path": "broken", "text": "x"}}, {"commit": {"message": "Break it"}}],
                brief_into("src/first.brief", "first"),
            ],
            "then": [brief_into("src/then.brief", "then")],
        }
    )
    gate = "test ! -e broken || { echo 'FAILED: a file called broken'; exit 3; }\n"
    advance(rig.upstream, "dev", {"gate.sh": gate})
    tasks = [requested("first", rig.newest), requested("then", rig.newest, blocked_by=["first"])]
    run = rig.submit(tasks)
    rig.finish(run)
    bare, merge = rig.upstream.bare, rig.task(run, "first").merge
    second = read(bare, "dev", "src/first.brief") or ""
    assert "FAILED: a file called broken" in second and "exit 3" in second
    told = read(bare, "dev", "src/then.brief") or ""
    assert "first is there" in told and merge[:7] in told
    assert "FAILED" not in told


def test_a_file_outside_the_declared_paths_is_refused_and_mended_by_another_attempt(rig: Rig) -> None:
    rig.play({"narrow": [work("narrow", path="docs/else.txt"), work("narrow", path="src/in.txt")]})
    run = rig.submit([requested("narrow", rig.newest, paths=("src/",))])
    events = rig.finish(run)
    assert rig.task(run, "narrow").state is TaskState.COMPLETED
    assert [(v.data["kind"], v.data["rule"]) for v in of(events, EventKind.VERDICT)] == [
        ("refused", "ownership"),
        ("verified", ""),
    ]
    assert read(rig.upstream.bare, "dev", "docs/else.txt") is None


def test_without_force_a_promotion_waits_for_a_yes_too(rig: Rig) -> None:
    rig.play({"go": [work("go")]})
    bare = rig.upstream.bare
    main = head(bare, "main")
    run = rig.submit([requested("go", rig.newest)], force=False, promote=True)
    rig.finish(run)
    reply(rig, run, "go", "yes")
    events = rig.finish(run)
    assert head(bare, "main") == main
    (waits,) = of(events, EventKind.MERGE_REFUSED)
    assert waits.data["command"] == f"ops-orchestrate answer {run} promote:{rig.newest} yes"
    reply(rig, run, f"promote:{rig.newest}", "yes")
    rig.finish(run)
    assert git("log", "-1", "--format=%P", "main", cwd=bare).split() == [main, rig.task(run, "go").merge]


def test_two_runs_share_slots_and_never_a_repository(rig: Rig) -> None:
    """Two runs over the same three repositories at once: more to do than five slots, and one writer a repository."""
    first_name = rig.newest
    rig.upstreams |= {name: rig.more(name) for name in (f"{first_name}b", f"{first_name}c")}
    repos = list(rig.upstreams)
    rest = [
        {"run": {"argv": ["sh", "-c", "echo $OPS_TASK > src/$OPS_TASK"]}},
        {"commit": {"message": "Work"}},
        {"report": {}},
    ]
    # One repository after another becomes free, so that the other run has one while the first still holds some.
    paces = {f"{run}{n}": [[{"sleep": {"seconds": 0.3 + n}}, *rest]] for run in ("x", "y") for n in range(len(repos))}
    rig.play(paces)
    runs = [rig.submit([requested(f"{run}{n}", repo) for n, repo in enumerate(repos)]) for run in ("x", "y")]
    for run in runs:
        rig.finish(run)
    assert [rig.ledger.runs.get(run).state for run in runs] == [RunState.DONE] * 2
    events = sorted((event for run in runs for event in rig.events(run)), key=lambda event: (event.at, event.seq))
    assert violations(events) == []
    holding: dict[str, str] = {}
    together = set()
    for event in events:
        repo = str(event.data.get("repo", ""))
        if event.kind is EventKind.OWNERSHIP_TAKEN:
            assert repo not in holding
            holding[repo] = event.run
            together.add(frozenset(holding.values()))
        elif event.kind is EventKind.OWNERSHIP_RELEASED:
            del holding[repo]
    assert frozenset(runs) in together


def test_what_an_agent_prints_is_on_the_board(rig: Rig) -> None:
    token = "ghp_" + "a1B2" * 9
    lines = f"reading the code\n\x1b[31mtoken {token}\x1b[0m \x07now\n"
    rig.play({"talk": [[{"say": {"text": lines}}, *work("talk", seconds=0.5)]]})
    run = rig.submit([requested("talk", rig.newest)])
    notes = [event.data["text"] for event in of(rig.finish(run), EventKind.AGENT_NOTE)]
    assert len(notes) == 1
    assert notes[0].startswith("token ") and notes[0].endswith(" now") and token not in notes[0]


def test_what_an_agent_and_a_gate_say_is_kept_without_secrets(rig: Rig) -> None:
    """In its log, in its report, in what it hands over, and in what a failed gate printed."""
    token = "ghp_" + "a1B2" * 9
    report = {"report": {"status": "done", "summary": f"used {token}", "hand_over": f"use {token}"}}
    said = [{"say": {"text": f"{token}\n"}}, *work("leak")[:-1], report]
    rig.play({"leak": [said], "fall": [[*said[:-1], {"exit": {"code": 1}}]]})
    gate = f"printf 'gate %s%s\\n' ghp_ {token[4:]}; exit 1"
    kept = []
    for task, words in (("leak", "gate [redacted"), ("fall", "[redacted")):
        run = rig.submit([requested(task, rig.newest)], gate=gate)
        events = rig.finish(run)
        attempts = rig.ledger.tasks.attempts(run, task)
        assert any(attempt.outcome and words in attempt.outcome.log_tail for attempt in attempts)
        kept += [one.model_dump_json() for one in (*events, *attempts, rig.task(run, task))]
    assert any('"hand_over":"use [redacted' in text for text in kept)
    assert [text for text in kept if token in text] == []


def registry(rig: Rig, **ops: str) -> Portfolio:
    """A registry whose one entry says this; what a run that begins now works on."""
    path = rig.settings.data_dir / "registry.json"
    entry = {"alias": rig.newest, "paths": [str(rig.upstream.checkout)], "ops": {"promote": False, **ops}}
    path.write_text(json.dumps({"projects": [entry]}))
    path.chmod(0o600)
    return load_portfolio(rig.settings, git_probe(rig.settings))


def test_without_a_gate_nothing_is_merged_and_an_answer_verifies_with_one_that_the_registry_has_since(rig: Rig) -> None:
    rig.play({"*": [work("any")]})
    run = rig.submit([requested("one", rig.newest)], portfolio=registry(rig))
    rig.finish(run)
    before, dev = rig.task(run, "one"), head(rig.upstream.bare, "dev")
    assert (before.state, before.ask) == (TaskState.BLOCKED, "verify")
    assert "no quality gate" in before.reason and "ops.gate" in before.reason
    # A gate in the repository, or in what the agent made, is none: only the registry's counts.
    with pytest.raises(UsageError, match=r"still has no gate in .*registry\.json"):
        reply(rig, run, "one", "yes")
    assert (rig.task(run, "one"), head(rig.upstream.bare, "dev")) == (before, dev)
    registry(rig, gate=GATE)
    told = answer(run, "one", "yes", by="ann", tools=rig.tools)
    assert told.text == f"one: it is verified again, with the gate `{GATE}` of {rig.settings.data_dir}/registry.json."
    events = rig.finish(run)
    task = rig.task(run, "one")
    assert (task.state, task.attempt, task.head) == (TaskState.COMPLETED, 1, before.head)
    assert read(rig.upstream.bare, "dev", "src/any.txt") == "any"
    (taken,) = of(events, EventKind.GATE_TAKEN)
    assert (taken.task, taken.data["gate"], taken.data["before"], taken.data["by"]) == ("one", GATE, "", "ann")
    assert violations(events) == []


def test_a_new_run_takes_over_what_waits_for_a_gate_with_its_commit_and_whoever_waits_for_it(rig: Rig) -> None:
    tasks = [requested("first", rig.newest), requested("then", rig.newest, blocked_by=["first"])]
    rig.play({"*": [work("any")]})
    old = rig.submit(tasks, portfolio=registry(rig))
    rig.finish(old)
    made = rig.task(old, "first").head
    between = rig.submit(tasks, portfolio=registry(rig))
    rig.finish(between)
    assert rig.ledger.tasks.all(between) == []  # without a gate it would only be made once more, and wait again
    assert rig.ledger.runs.get(between).skipped == (
        f"first: owned by run {old} (blocked): task first",
        f"then: left to run {old}: it waits for first (owned by run {old} (blocked): task first)",
    )
    assert rig.task(old, "then").state is TaskState.QUEUED
    rig.play({"first": [[{"report": {"status": "failed", "summary": "no agent was wanted"}}]], "*": [work("then")]})
    new = rig.submit(tasks, portfolio=registry(rig, gate=GATE))
    events = rig.finish(new)
    first, then = (rig.task(new, name) for name in ("first", "then"))
    assert (first.state, first.attempt, first.head, first.reason) == (TaskState.COMPLETED, 1, made, "did any")
    assert (then.state, then.attempt) == (TaskState.COMPLETED, 1)
    assert [read(rig.upstream.bare, "dev", f"src/{name}.txt") for name in ("any", "then")] == ["any", "then"]
    assert {rig.task(old, name).reason for name in ("first", "then")} == {f"taken over by run {new}"}
    assert violations(events) == []
