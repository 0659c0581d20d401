"""The checker itself: a world in which all is right, and one defect at a time put into it, which must be seen."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import checker, record
from tests.chaos.checker import RULES, outages, percentile, violations
from tests.chaos.record import Base, Commit, Draft, Record

Events = list[dict[str, Any]]


def story() -> Events:
    """Two tasks, one after the other: the first is lost once, the second one's stage is."""
    told: Events = []

    def say(kind: str, task: str | None = None, attempt: int | None = None, **data: Any) -> None:
        fence = data.pop("fence", None)
        at = float(len(told))
        told.append(
            {"seq": len(told) + 1, "at": at, "kind": kind, "run": "r", "task": task, "attempt": attempt,
             "fence": fence, "data": data}
        )  # fmt: skip

    def attempt(task: str, number: int, fence: int, outcome: str) -> None:
        say("slot.taken", task, number, fence=fence, slot=1)
        say("ownership.taken", task, number, fence=fence, repo="app", paths=[])
        say("attempt.started", task, number, fence=fence, agent="scripted")
        say("attempt.ended", task, number, fence=fence, outcome=outcome)
        say("slot.released", task, number, fence=fence, slot=1)
        say("ownership.released", task, number, fence=fence, repo="app")

    say("run.begun")
    say("task.planned", "a", blocked_by=[])
    say("task.planned", "b", blocked_by=["a"])
    attempt("a", 1, 7, "lost")
    say("task.settled", "a", 1, fence=7, state="retryable")
    attempt("a", 2, 9, "succeeded")
    say("merge.proved", "a", 2, fence=9, commit="c1")
    say("task.settled", "a", 2, fence=9, state="completed")
    attempt("b", 1, 11, "succeeded")
    say("stage.claimed", "b", 1, fence=11, stage="verify")
    say("stage.lost", "b", 1, fence=11, stage="verify")
    say("stage.claimed", "b", 1, fence=11, stage="verify")
    say("merge.proved", "b", 1, fence=11, commit="c2")
    say("task.settled", "b", 1, fence=11, state="completed")
    say("run.finished", state="done")
    return told


def commit(sha: str, parent: str, task: str) -> Commit:
    return Commit(sha, (parent,), f"Do {task}\n\nOps-Task: {task}\nOps-Run: r\nOps-Fingerprint: p-{task}\n")


def journal(kind: str, **facts: Any) -> dict[str, Any]:
    return {"kind": "effect", "what": kind, "repository": "acme/app", **facts}


def world() -> Record:
    """All is right in it."""
    line = (Commit("c0", (), "start"), commit("c1", "c0", "a"), commit("c2", "c1", "b"))
    return Record(
        events={"r": tuple(story())},
        bases=(Base("app", line, (("c0", "c1"), ("c1", "c2"))),),
        journal=(
            journal("pull-opened", head="ops/r/a", number=1),
            journal("pull-merged", number=1),
            journal("rerun", run=5, attempt=2),
            journal("comment", number=1, thread="T1", body="Done"),
        ),
        most_agents=1,
        drafts=(Draft("r", "a", "a1-f7", "src/a.txt", "half\n"),),
        kept=frozenset({("src/a.txt", "half\n")}),
    )


def told(change: Callable[[Events], object]) -> Callable[[Record], Record]:
    """The same world with another story."""

    def changed(whole: Record) -> Record:
        events = story()
        change(events)
        return replace(whole, events={"r": tuple(events)})

    return changed


def without(kind: str, task: str | None = None) -> Callable[[Record], Record]:
    """The last event of that kind was never written; the numbers show no gap."""

    def drop(events: Events) -> None:
        at = max(n for n, e in enumerate(events) if e["kind"] == kind and (task is None or e["task"] == task))
        del events[at]
        for number, event in enumerate(events, 1):
            event["seq"] = number

    return told(drop)


def again(kind: str, task: str | None = None, **fields: Any) -> Callable[[Record], Record]:
    """The last event of that kind is written once more, right after itself, with other fields."""

    def repeat(events: Events) -> None:
        at = max(n for n, e in enumerate(events) if e["kind"] == kind and (task is None or e["task"] == task))
        data = events[at]["data"] | fields.pop("data", {})
        events.insert(at + 1, {**events[at], "data": data, **fields})
        for number, event in enumerate(events, 1):
            event["seq"] = number

    return told(repeat)


def moved(kind: str, task: str, before: str) -> Callable[[Record], Record]:
    """The first event of a kind stands before the first one of another kind."""

    def put(events: Events) -> None:
        at = next(n for n, e in enumerate(events) if e["kind"] == kind and e["task"] == task)
        event = events.pop(at)
        to = next(n for n, e in enumerate(events) if e["kind"] == before)
        events.insert(to, event)
        for number, one in enumerate(events, 1):
            one["seq"] = number

    return told(put)


def base(*commits: Commit, moves: tuple[tuple[str, str], ...] = ()) -> Callable[[Record], Record]:
    """Another base."""
    return lambda whole: replace(whole, bases=(Base("app", commits, moves),))


def forge(*lines: dict[str, Any]) -> Callable[[Record], Record]:
    """More happened on the forge."""
    return lambda whole: replace(whole, journal=(*whole.journal, *lines))


C0, C1, C2 = Commit("c0", (), "start"), commit("c1", "c0", "a"), commit("c2", "c1", "b")

DEFECTS: list[tuple[str, str, Callable[[Record], Record]]] = [
    ("a run never ends", "a task or run lost", without("run.finished")),
    ("a task is forgotten", "a task or run lost", without("task.settled", "b")),
    ("a task is given up", "a task or run lost", again("task.settled", "b", data={"state": "blocked"})),
    ("an event is lost", "an event lost", told(lambda events: events.pop(5))),
    ("an event is there twice", "an event lost", told(lambda events: events.insert(5, dict(events[5])))),
    ("a task completes twice", "an effect twice", again("task.settled", "a")),
    ("a merge is proved twice", "an effect twice", again("merge.proved", "a")),
    ("a change is merged twice", "an effect twice", base(C0, C1, C2, commit("c3", "c2", "b"))),
    (
        "two runs merge the same task",
        "an effect twice",
        base(C0, C1, C2, Commit("c3", ("c2",), "Do b\n\nOps-Task: b\nOps-Run: q\nOps-Fingerprint: p-b\n")),
    ),
    ("a pull request is opened twice", "an effect twice", forge(journal("pull-opened", head="ops/r/a", number=2))),
    ("the forge merges one twice", "an effect twice", forge(journal("pull-merged", number=1))),
    ("failed jobs are run again twice", "an effect twice", forge(journal("rerun", run=5, attempt=3))),
    ("a thread is answered twice", "an effect twice", forge(journal("comment", number=1, thread="T1", body="Done"))),
    ("a merge is said and not there", "a merge that is not so", base(C0, C1)),
    ("a merge is there and not said", "a merge that is not so", without("merge.proved", "b")),
    ("six agents are alive", "a sixth agent", lambda whole: replace(whole, most_agents=6)),
    ("a slot is given twice", "a sixth agent", again("slot.taken", "b", fence=12)),
    ("a slot is given back by another", "a sixth agent", told(lambda events: events[7].update(fence=3))),
    ("two agents at one task", "two owners", lambda whole: replace(whole, doubled=frozenset({"r.a"}))),
    ("a repository has two owners", "two owners", again("ownership.taken", "b", fence=12)),
    ("a base is pushed back", "a base not linear", base(C0, C1, C2, moves=(("c0", "c1"), ("c1", "c0"), ("c0", "c2")))),
    ("a base is overwritten", "a base not linear", base(C0, C1, Commit("c2", ("c0",), "b"))),
    ("two merges in one move", "a base not linear", base(C0, C1, C2, moves=(("c0", "c2"),))),
    ("an attempt never ends", "an attempt without its end", without("attempt.ended", "b")),
    ("an attempt ends twice", "an attempt without its end", again("attempt.ended", "b")),
    ("a second attempt beside the first", "an attempt without its end", again("attempt.started", "b", attempt=2)),
    ("a fence goes back", "an attempt without its end", told(lambda events: events[12].update(fence=5))),
    ("it starts before its blocker", "a start before its blockers", moved("attempt.started", "b", "merge.proved")),
    ("a draft is gone", "an agent's work lost", lambda whole: replace(whole, kept=frozenset())),
    ("a process is left", "something left over", lambda whole: replace(whole, leftover=("process 7",))),
]


def test_where_all_is_right_nothing_is_found() -> None:
    assert violations(world()) == {name: [] for name in RULES}


@pytest.mark.parametrize(("rule", "defect"), [d[1:] for d in DEFECTS], ids=[d[0] for d in DEFECTS])
def test_a_defect_is_seen(rule: str, defect: Callable[[Record], Record]) -> None:
    assert violations(defect(world()))[rule]


def test_every_rule_sees_a_defect() -> None:
    assert {rule for _, rule, _ in DEFECTS} == set(RULES)


def test_an_outage_lasts_from_the_last_sign_of_life_to_the_next_claim() -> None:
    """The lost attempt was last heard of with event 6 and followed with 13; the lost stage with 25 and 27."""
    events = {event["seq"]: event for event in story()}
    assert [events[n]["kind"] for n in (6, 13, 25, 27)] == ["attempt.started"] * 2 + ["stage.claimed"] * 2
    assert outages(world()) == [2.0, 7.0]


def test_percentiles() -> None:
    assert [percentile(list(map(float, range(100))), part) for part in (0.5, 0.99)] == [50.0, 99.0]
    assert percentile([], 0.5) == 0.0


@pytest.mark.parametrize("module", [checker, record], ids=["checker", "record"])
def test_it_shares_no_code_with_what_it_checks(module: object) -> None:
    source = Path(str(module.__file__)).read_text(encoding="utf-8")  # type: ignore[attr-defined]
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(source))
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    assert not imported & {"ops_orchestrate", "workers", "celery", "redis"}
    inner = [node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    assert {name for name in inner if name and name.startswith("tests")} <= {"tests.chaos.record"}
