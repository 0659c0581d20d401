"""Tasks are made of checked parts without being checked again: nothing gets past a check by that."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ops_orchestrate.core.crossref import Left
from ops_orchestrate.core.finding import AuditPart, Finding, FindingKind
from ops_orchestrate.core.names import clean_text, is_name, one_line
from ops_orchestrate.core.task import Mode, Priority, TaskSpec
from tests.builders import make_finding, make_part, make_project, make_repository
from tests.core.plans import merged, plan_of

TEXT = st.text(max_size=20) | st.sampled_from(
    ["plain words", " a  b ", "x\n\x1b[2Jy", "\u202eevil", "fix the auth token", "- [ ] a\n" * 6, "é" * 400, "t0"]
)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
APP = make_project(
    "app", repositories=(make_repository("app", name="Äpp", gate="make test", sensitive=("src/**",)),), stage="growth"
)


@st.composite
def hostile(draw: st.DrawFn) -> list[Finding]:
    """Findings of which every text may be anything, each waiting for some before it; one is noticed twice."""
    found = [
        make_finding(
            f"{at:016x}",
            kind=draw(st.sampled_from([FindingKind.REQUESTED, FindingKind.ISSUE, FindingKind.RED_BASELINE])),
            project=draw(st.sampled_from(["app", "api"])),
            repo=draw(st.sampled_from(["app", "api"])),
            title=f"{at} {draw(TEXT)}",
            detail=draw(TEXT),
            acceptance=draw(TEXTS),
            paths=draw(st.sampled_from([(), ("src/a.py", "src/a.py"), ("../x",)])),
            priority=draw(st.none() | st.sampled_from(Priority)),
            label=draw(st.none() | TEXT),
            task_id=draw(st.none() | st.just(f"t{at}") | TEXT),
            blocked_by=tuple(f"{draw(st.integers(0, at - 1)):016x}" for _ in range(draw(st.integers(0, 2))) if at),
            human=draw(st.none() | TEXT),
            names=draw(st.sampled_from([(), (f"linear:ENG-{at}",), (f"ci:o/r:w{at}:push:dev", f"github:o/r#{at}")])),
            hold=draw(st.just("") | TEXT),
            change=draw(st.sampled_from(["", "7"])),
            change_branch=draw(st.sampled_from(["", "ops/r0/x"])),
            closes=draw(TEXTS),
            cause=draw(TEXT),
        )
        for at in range(draw(st.integers(1, 4)))
    ]
    return [*found, found[0].model_copy(update={"source": "other"})]


@given(hostile(), st.sampled_from(Mode), st.booleans(), st.sampled_from([{}, {"": 30.5}, {"app": 7}]))
def test_a_check_would_let_every_task_through_as_it_is(
    findings: list[Finding], mode: Mode, big: bool, lengths: dict[str, float]
) -> None:
    plan = plan_of(
        *findings,
        projects=(APP, make_project("api")),
        mode=mode,
        planner_help=big,
        lengths=lengths,
        merged=[merged((f"{0:016x}", "old"))],
        mine={f"{1:016x}": Left("r0", "t1", "h1")},
    )
    for task in plan.tasks:
        checked = TaskSpec.model_validate(dict(task), strict=True)
        assert (task, task.model_dump_json(), list(dict(task))) == (
            checked,
            checked.model_dump_json(),
            list(dict(checked)),
        )
        assert TaskSpec.model_validate_json(task.model_dump_json()) == task
        assert is_name(task.id)
        assert is_name(task.member)
        assert all(line == one_line(line, 500) for line in (task.title, task.human or "", *task.acceptance))
        assert task.description == clean_text(task.description)


def test_a_copy_of_a_task_changes_no_other_one_of_the_plan() -> None:
    first, other = plan_of(make_finding("fp-a"), make_finding("fp-b")).tasks
    copy = first.model_copy(update={"big": "is big"})
    assert (copy.big, first.big, other.big) == ("is big", "", "")
    assert first.model_fields_set == other.model_fields_set == set(TaskSpec.model_fields)


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": 7},
        {"title": None},
        {"title": "\ud800"},
        {"detail": ["a"]},
        {"acceptance": "one"},
        {"acceptance": [1]},
        {"blocked_by": [["a"]]},
        {"priority": "P9"},
        {"kind": "order"},
        {"change": 7},
        {"names": {"a": 1}},
        {"hold": False},
        {"mode": "team"},
        {"sensitive": ""},
    ],
)
def test_what_an_audit_brings_back_is_checked_as_it_comes_in(wrong: dict[str, Any]) -> None:
    """The ledger's copy of a part is read by this, whichever worker made it: the one way into a plan."""
    part = make_part("git", make_finding()).model_dump(mode="json")
    assert AuditPart.model_validate_json(json.dumps(part)).findings == (make_finding(),)
    part["findings"][0] |= wrong
    with pytest.raises(ValidationError):
        AuditPart.model_validate_json(json.dumps(part))
