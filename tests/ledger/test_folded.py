"""What is read of a task is what was planned, whether a script has touched it or not, whatever its texts hold."""

from __future__ import annotations

from typing import Any

import fakeredis
from hypothesis import given, settings
from hypothesis import strategies as st

from ops_orchestrate.core.board import Candidate
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.task import Priority, TaskMode, TaskSpec
from ops_orchestrate.ledger import Ledger, folded
from tests.builders import make_request, make_settlement, make_task
from tests.laws import examples
from tests.ledger.play import planned

#: What separates fields and lines, what quotes, and what the scripts could take for something of theirs.
HOSTILE = st.text(st.sampled_from("\x1f\x1e!\\\"'{}[]%\n\r\t\x00\x7f é\U0001f600ab"), max_size=12)
ALL = {
    *("title", "project", "repo", "priority", "label", "mode", "mode_reason", "member", "wave", "blocked_by"),
    *("estimate", "paths", "acceptance", "gate", "base", "sensitive", "human"),
}


@st.composite
def a_plan(draw: st.DrawFn) -> list[tuple[TaskSpec, str | None]]:
    """Tasks with any of their fields set, each with the reason why it is held, if it is."""
    plan: list[tuple[TaskSpec, str | None]] = []
    for n in range(draw(st.integers(1, 4))):
        part = draw(st.booleans())
        spec = make_task(
            f"t{n}",
            repo=draw(st.sampled_from(("app", "github.com/o/web"))),
            title=draw(HOSTILE),
            description=draw(HOSTILE),
            acceptance=tuple(draw(st.lists(HOSTILE, max_size=2))),
            paths=tuple(draw(st.lists(HOSTILE, max_size=2))),
            priority=draw(st.sampled_from(Priority)),
            urgency=draw(st.none() | st.sampled_from(Priority)),
            blocked_by=tuple(f"t{b}" for b in sorted(draw(st.sets(st.integers(0, n - 1), max_size=2)))) if n else (),
            mode=draw(st.sampled_from(TaskMode)),
            wave=draw(st.integers(0, 300)),
            rank=draw(st.floats(0, 1e8)),
            estimate=draw(st.floats(0.001, 1e6)),
            sensitive=draw(st.none() | HOSTILE),
            gate=draw(st.none() | HOSTILE),
            big=draw(HOSTILE),
            **({"part_of": "w", "split_by": "rule", "of_parts": 3} if part else {}),
        )
        plan.append((spec, draw(st.none() | HOSTILE)))
    return plan


def _said_of(spec: TaskSpec) -> dict[str, Any]:
    data = spec.model_dump(mode="json", include=ALL)
    if spec.part_of:
        data |= {"part_of": spec.part_of, "split_by": spec.split_by}
    if spec.big:
        data["big"] = spec.big
    return data | {"detail": one_line(spec.description, 300)}


@settings(max_examples=examples(15))
@given(plan=a_plan())
def test_what_is_read_is_what_was_planned(plan: list[tuple[TaskSpec, str | None]]) -> None:
    ledger = Ledger(fakeredis.FakeRedis(server=fakeredis.FakeServer(), decode_responses=True))
    blocked = {
        spec.id: make_settlement(TaskState.BLOCKED, reason=why, ask="done") for spec, why in plan if why is not None
    }
    assert ledger.runs.begin("r1", make_request(), host="h", parts=["git"])
    assert ledger.runs.store_plan("r1", [spec for spec, _ in plan], blocked=blocked, skipped=(), unknown=())
    told = [(event.task, event.kind, event.data) for event in ledger.events.all("r1")][2:]
    expected: list[tuple[str, EventKind, dict[str, Any]]] = []
    for spec, why in plan:
        expected.append((spec.id, EventKind.TASK_PLANNED, _said_of(spec)))
        if why is not None:
            held = {"state": "blocked", "reason": why, "ask": "done", "merge": "", "head": ""}
            expected.append((spec.id, EventKind.TASK_SETTLED, held))
    assert told == expected

    before = ledger.tasks.all("r1")
    assert [record.spec for record in before] == [spec for spec, _ in plan]
    assert [(one.state, one.reason, one.ask) for one in before] == [
        (TaskState.QUEUED, "", "") if why is None else (TaskState.BLOCKED, why, "done") for _, why in plan
    ]
    waits = [ledger.tasks.dependants("r1", spec.id) for spec, _ in plan]
    assert waits == [[other.id for other, _ in plan if spec.id in other.blocked_by] for spec, _ in plan]

    assert {ledger.tasks.edges("r1", spec.id) for spec, _ in plan} == {()}  # touches every one of them
    assert ledger.tasks.all("r1") == before
    assert [ledger.tasks.dependants("r1", spec.id) for spec, _ in plan] == waits
    assert [(event.task, event.kind, event.data) for event in ledger.events.all("r1")][2:] == expected
    for spec, why in plan:
        if ledger.board.offer("r1", spec.id):
            assert why is None
            assert not spec.blocked_by
    ready = {spec.id: spec for spec, why in plan if why is None and not spec.blocked_by}
    shown = {one.task: one for one in ledger.board.look(5).candidates}
    assert set(shown) == set(ready)
    assert all(_is_of(card, ready[task]) for task, card in shown.items())


def _is_of(card: Candidate, spec: TaskSpec) -> bool:
    same = ("repo", "project", "paths", "estimate", "part_of", "of_parts")
    urgent = card.priority is (spec.urgency or spec.priority)
    return urgent and all(getattr(card, name) == getattr(spec, name) for name in same) and card.path_left > 0


def test_a_task_has_no_hash_before_it_is_touched(ledger: Ledger) -> None:
    planned(ledger, make_task("t1"), make_task("t2", blocked_by=("t1",)))
    client = ledger._server.client
    assert client.keys("*:task:*") == []
    assert ledger.board.offer("r1", "t1")
    assert client.keys("*:task:*") == ["{ops}:task:r1:t1"]


def test_a_spec_is_stored_without_its_defaults() -> None:
    line = folded.fold(make_task("t1", paths=()), (), 600.0)
    spec = line.split(folded.FIELD)[-1]
    assert spec == '{"id":"t1","project":"app","repo":"app","title":"Do t1","fingerprint":"fp-t1","base":"dev"}'


def test_of_a_red_base_what_failed_last_is_told(ledger: Ledger) -> None:
    log = "\n".join([*(f"test {n} passed" for n in range(100)), "FAILED test_pay"])
    planned(ledger, make_task("t1", description=log, fixes_base=True), make_task("t2", description=log))
    first, second = [event.data["detail"] for event in ledger.events.all("r1") if event.kind is EventKind.TASK_PLANNED]
    assert "FAILED test_pay" in first
    assert second.startswith("test 0 passed test 1 passed")
    assert "FAILED" not in second
