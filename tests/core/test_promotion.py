"""Promotion to main: never unless it is wanted, green on the very commit, and answered."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from ops_orchestrate.core.change import GateEnd
from ops_orchestrate.core.merge.pull import Pull
from ops_orchestrate.core.own_change import OwnKind
from ops_orchestrate.core.promotion import (
    PromotionDecision,
    PromotionSnapshot,
    PromotionStep,
    decide_promotion,
    overtaken,
)

HEAD = "a" * 40
READY: dict[str, Any] = {
    "integration": "dev",
    "main": "main",
    "head": HEAD,
    "main_head": "b" * 40,
    "merged": 2,
    "gate": GateEnd.PASSED,
    "force": True,
}


def decide(**kw: Any) -> PromotionDecision:
    return decide_promotion(PromotionSnapshot(**(READY | kw)))


@pytest.mark.parametrize(
    ("kw", "step", "word"),
    [
        ({}, PromotionStep.PROMOTE, "dev"),
        ({"force": False, "approved": HEAD}, PromotionStep.PROMOTE, "main"),
        ({"force": False}, PromotionStep.ASK, "promote dev to main"),
        ({"force": False, "approved": "f" * 40}, PromotionStep.ASK, "promote"),
        ({"no_main": True}, PromotionStep.SKIP, "--no-main"),
        ({"wanted": False}, PromotionStep.SKIP, "registry"),
        ({"main": None}, PromotionStep.SKIP, "no branch beside dev"),
        ({"merged": 0}, PromotionStep.SKIP, "nothing was merged"),
        ({"contained": True}, PromotionStep.SKIP, "has it already"),
        ({"may_ship": "main is checked out"}, PromotionStep.REFUSE, "checked out"),
        ({"gate": None}, PromotionStep.REFUSE, "no result"),
        ({"gate": GateEnd.FAILED}, PromotionStep.REFUSE, "failed"),
        ({"gate": GateEnd.NO_GATE}, PromotionStep.REFUSE, "no-gate"),
        ({"conflicts": ("a.py",)}, PromotionStep.REFUSE, "a.py"),
    ],
)
def test_first_match_wins(kw: dict[str, Any], step: PromotionStep, word: str) -> None:
    decision = decide(**kw)
    assert decision.step is step
    assert word in decision.reason


FIELDS: dict[str, tuple[Any, ...]] = {
    "no_main": (False, True),
    "wanted": (True, False),
    "main": ("main", None),
    "merged": (0, 1),
    "contained": (False, True),
    "may_ship": ("", "no"),
    "gate": (None, *GateEnd),
    "conflicts": ((), ("a",)),
    "force": (False, True),
    "approved": ("", HEAD, "x"),
}


def test_over_the_whole_product_a_promotion_implies_all_of_its_conditions() -> None:
    for values in product(*FIELDS.values()):
        seen = READY | dict(zip(FIELDS, values, strict=True))
        wanted = seen["wanted"] and not seen["no_main"] and seen["main"] and seen["merged"] and not seen["contained"]
        green = seen["gate"] is GateEnd.PASSED and not seen["may_ship"] and not seen["conflicts"]
        answered = seen["force"] or seen["approved"] == HEAD
        step = decide_promotion(PromotionSnapshot(**seen)).step
        assert (step is PromotionStep.SKIP) is (not wanted)
        assert (step is PromotionStep.REFUSE) is bool(wanted and not green)
        assert (step is PromotionStep.ASK) is bool(wanted and green and not answered)
        assert (step is PromotionStep.PROMOTE) is bool(wanted and green and answered)


def sync_pull(**more: object) -> Pull:
    mine = {"number": 2, "state": "open", "head": "a" * 40, "head_ref": f"ops/sync/{'a' * 12}", "base_ref": "main"}
    return Pull.model_validate(mine | {"ours": True} | more)


@pytest.mark.parametrize(
    ("more", "closed"),
    [
        ({}, True),
        ({"ours": False}, False),
        ({"base_ref": "release"}, False),
        ({"head": "b" * 40}, False),  # somebody has pushed to it
        ({"head_ref": "ops/t1/a"}, False),
        ({"state": "closed"}, False),
        ({"state": "unknown"}, False),
        ({"head": "c" * 40, "head_ref": f"ops/sync/{'c' * 12}"}, False),  # it is the newer one itself
        ({"head": "d" * 40, "head_ref": f"ops/sync/{'d' * 12}"}, False),  # it brings what the newer one lacks
    ],
)
def test_only_a_promotion_of_ours_that_is_wholly_in_the_newer_one_is_overtaken(
    more: dict[str, object], closed: bool
) -> None:
    found = overtaken(
        [sync_pull(**more)], OwnKind.PROMOTE, "main", "c" * 40, lambda older: older in ("a" * 40, "b" * 40)
    )
    assert bool(found) is closed
