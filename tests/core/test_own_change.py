"""Changes that a run makes without a task: their names, and when a back-merge or a revert is opened and pursued."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from ops_orchestrate.core.change import GateEnd
from ops_orchestrate.core.own_change import (
    OWN_BRANCHES,
    OwnChange,
    OwnKind,
    OwnSnapshot,
    OwnStep,
    decide_own,
    needs_no_answer,
    own_branch,
    own_change,
    own_key,
)

COMMIT = "a" * 40
READY: dict[str, Any] = {
    "kind": OwnKind.REVERT,
    "base": "main",
    "base_head": COMMIT,
    "commit": COMMIT,
    "head": "b" * 40,
    "gate": GateEnd.PASSED,
}


@pytest.mark.parametrize("kind", OwnKind)
def test_a_name_and_a_key_lead_back_to_it(kind: OwnKind) -> None:
    own = OwnChange(kind=kind, repo="api")
    assert own_change(own.name) == own == own_key(own.key)
    assert (own.key == "api") is (kind is OwnKind.PROMOTE)
    assert own_branch(kind, COMMIT).startswith(OWN_BRANCHES)


@pytest.mark.parametrize("text", ["go", "promote", "revert:", "other:api", ":api", ""])
def test_what_names_none_is_a_task(text: str) -> None:
    assert own_change(text) is None


@pytest.mark.parametrize(
    ("kw", "step", "word"),
    [
        ({}, OwnStep.PURSUE, ""),
        ({"gate": None}, OwnStep.PURSUE, ""),  # it is run before the next look; the merge gate waits for it
        ({"base_head": ""}, OwnStep.REFUSE, "no longer there"),
        ({"head": ""}, OwnStep.REFUSE, "no commit before it"),
        ({"base_head": "c" * 40}, OwnStep.REFUSE, "something else has been merged"),
        ({"base_head": "c" * 40, "opened": True}, OwnStep.PURSUE, ""),
        ({"base_head": "c" * 40, "kind": OwnKind.BACK}, OwnStep.PURSUE, ""),
        ({"conflicts": ("a.py",)}, OwnStep.OPEN, "a.py"),
        ({"gate": GateEnd.FAILED}, OwnStep.OPEN, "the gate says failed"),
        ({"gate": GateEnd.NO_GATE}, OwnStep.OPEN, "no-gate"),
        ({"gate": GateEnd.UNAVAILABLE}, OwnStep.OPEN, "unavailable"),
    ],
)
def test_first_match_wins(kw: dict[str, Any], step: OwnStep, word: str) -> None:
    decision = decide_own(OwnSnapshot(**(READY | kw)))
    assert decision.step is step
    assert word in decision.reason


def test_force_speaks_for_what_neither_touches_a_spared_main_nor_undoes_work() -> None:
    for kind, force, spared, undoes in product(OwnKind, (False, True), (False, True), (False, True)):
        silent = needs_no_answer(kind, force=force, spared=spared, undoes=undoes)
        assert silent is (force and not spared and (kind is not OwnKind.BACK or not undoes))
