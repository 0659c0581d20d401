"""The gate over the whole product of what can be seen, against predicates that know nothing of its rows.

Each dimension is a list of things that can be seen, with a word on whether a merge may happen in their presence. The
words are independent of one another, so that a merge has to be decided exactly where every word is yes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.merge.checks import CheckVerdict, verdict_of
from ops_orchestrate.core.merge.decide import decide
from ops_orchestrate.core.merge.failure import FailureClass
from ops_orchestrate.core.merge.pull import Check, Conclusion, Mergeable, MergeState, PullState, RequiredCheck
from ops_orchestrate.core.merge.pull import ReviewDecision as Decided
from ops_orchestrate.core.merge.pull import ReviewState as Said
from ops_orchestrate.core.merge.snapshot import Act, MergeSnapshot
from tests.core.merge.seen import (
    BASE,
    BASE2,
    HEAD,
    NOW,
    OTHER,
    check,
    policy,
    pull,
    review,
    rules,
    seen,
    thread,
)
from tests.core.merge.test_decide import TABLE

C = Conclusion
CODE, INFRA = FailureClass.CODE, FailureClass.INFRASTRUCTURE


class Thing(NamedTuple):
    """What is seen, where it goes into the snapshot, and whether a merge may happen in its presence."""

    name: str
    fine: bool
    where: str
    values: dict[str, Any]


def _enum(where: str, field: str, words: Any, fine: set[Any]) -> list[Thing]:
    return [Thing(f"{field} {word}", word in fine, where, {field: word}) for word in words]


def _checks(name: str, fine: bool, *checks: Check, **kw: Any) -> Thing:
    return Thing(name, fine, "pull", {"checks": checks, **kw})


LINT = check("lint", id=2)
CHECKS = [
    _checks("green", True, check()),
    _checks("green and skipped", True, check(), check("deploy", C.SKIPPED, id=2)),
    _checks("a cancelled duplicate", True, check(conclusion=C.CANCELLED), check(id=2, run=101)),
    _checks("none", False),
    _checks("ours only", False, check(ours=True)),
    _checks("partial", False, LINT),
    _checks("joined just now", False, check(completed_at=NOW - 10)),
    _checks("for another commit", False, check(), checks_of=OTHER),
    *(_checks(f"required {c}", c is C.SUCCESS, check(conclusion=c)) for c in Conclusion),
    *(
        _checks(f"other {c}", c in (C.SUCCESS, C.SKIPPED, C.NEUTRAL), check(), check("docs", c, id=2))
        for c in Conclusion
    ),
]
FORGE: list[list[Thing]] = [
    _enum("pull", "state", PullState, {PullState.OPEN}),
    _enum("pull", "mergeable", Mergeable, {Mergeable.MERGEABLE}),
    _enum("pull", "merge_state", MergeState, {MergeState.CLEAN, MergeState.HAS_HOOKS}),
    _enum("pull", "review_decision", Decided, {Decided.APPROVED, Decided.NONE}),
    CHECKS,
]
KNOWN: list[list[Thing]] = [
    [CHECKS[0], CHECKS[3], CHECKS[5], _checks("red", False, check(conclusion=C.FAILURE))],
    [
        Thing("as verified", True, "", {}),
        Thing("head moved", False, "pull", {"head": OTHER, "checks_of": OTHER}),
        Thing("base moved", False, "", {"base": BASE2}),
        Thing("base moved and verified", False, "", {"base": BASE2, "verified_base": BASE2, "checks_base": BASE}),
        Thing("base unseen", False, "", {"base": ""}),
        Thing("no verdict", False, "", {"verified_head": "", "verified_base": "", "verified_tree": ""}),
    ],
    [
        Thing("forced", True, "", {"force": True}),
        Thing("confirmed", True, "", {"force": False, "approved": HEAD}),
        Thing("confirmed earlier", False, "", {"force": False, "approved": OTHER}),
        Thing("not confirmed", False, "", {"force": False}),
    ],
    [
        Thing("protected", True, "rules", {}),
        Thing("no squash", False, "rules", {"methods": frozenset({"merge"})}),
        Thing("queue", False, "rules", {"merge_queue": True}),
        Thing("from another app", False, "rules", {"required_checks": (RequiredCheck(name="tests", app=1),)}),
    ],
    [
        Thing("approved", True, "pull", {}),
        Thing("approved earlier", False, "pull", {"reviews": (review(Said.APPROVED, commit=OTHER),)}),
        Thing("approved by a stranger", False, "pull", {"reviews": (review(Said.APPROVED, trusted=False),)}),
        Thing("approved by itself", False, "pull", {"reviews": (review(Said.APPROVED, author="ops-bot"),)}),
        Thing(
            "taken back",
            False,
            "pull",
            {"reviews": (review(Said.APPROVED), review(Said.DISMISSED, at=NOW - 1))},
        ),
        Thing(
            "approved, then commented",
            True,
            "pull",
            {"reviews": (review(Said.APPROVED), review(Said.COMMENTED, at=NOW - 1))},
        ),
        Thing("changes requested", False, "pull", {"reviews": (review(Said.CHANGES_REQUESTED),)}),
    ],
    [Thing("no thread", True, "pull", {}), Thing("thread", False, "pull", {"threads": (thread(),)})],
    [
        Thing("nothing else", True, "", {}),
        Thing("base red", False, "", {"base_checks": (check("p", C.FAILURE),)}),
        Thing("landed", False, "", {"landed": True}),
        Thing("no answer yet", False, "", {"intended_at": NOW - 10}),
        Thing("stopping", False, "", {"stopping": True}),
        Thing("dry run", False, "", {"dry_run": True}),
        Thing("draft", False, "pull", {"draft": True}),
        Thing("for main", False, "pull", {"base_ref": "main"}),
        Thing("a fork", False, "pull", {"cross_repository": True}),
        Thing("auto-merge", False, "pull", {"auto_merge": "ann"}),
        Thing("cut", False, "pull", {"complete": False}),
    ],
]
START = {"": seen(), "pull": pull(), "rules": rules(), "policy": policy()}


def snapshot(things: tuple[Thing, ...]) -> MergeSnapshot:
    """Everything in favour, but for these things."""
    changes: dict[str, dict[str, Any]] = {"": {}, "pull": {}, "rules": {}, "policy": {}}
    for thing in things:
        changes[thing.where].update(thing.values)
    parts = {
        name: START[name].model_copy(update=changes[name]) for name in ("pull", "rules", "policy") if changes[name]
    }
    return START[""].model_copy(update={**changes[""], **parts})  # type: ignore[return-value]


def every(dimensions: list[list[Thing]]) -> Iterator[tuple[Thing, ...]]:
    return product(*dimensions)


@pytest.mark.parametrize("dimensions", [FORGE, KNOWN], ids=["what the forge says", "what we know"])
def test_it_merges_exactly_where_every_word_is_yes(dimensions: list[list[Thing]]) -> None:
    acts: Counter[Act] = Counter()
    for things in every(dimensions):
        act = decide(snapshot(things)).act
        acts[act] += 1
        assert (act is Act.MERGE) == all(t.fine for t in things), [t.name for t in things if not t.fine]
    assert acts[Act.MERGE] > 0
    assert sum(acts.values()) > 10_000


DIMENSIONS = (*FORGE, *KNOWN[1:])
SUBSETS = st.tuples(*(st.sampled_from(dimension) for dimension in DIMENSIONS))
#: Something red, and all else speaks for a merge: in nearly every subset an earlier row keeps the checks from a word.
RED = [t for t in CHECKS if not t.fine and any(verdict_of(c) is CheckVerdict.RED for c in t.values["checks"])]
ONLY_RED = st.tuples(*(st.sampled_from(RED if d is CHECKS else [t for t in d if t.fine]) for d in DIMENSIONS))


@given(SUBSETS)
def test_over_both_at_once(things: tuple[Thing, ...]) -> None:
    decision = decide(snapshot(things))
    # Two dimensions are about approvals: without a decision by the forge an old approval stands in nobody's way.
    decided = things[3].values["review_decision"]
    if decided is Decided.NONE and things[8].name.startswith(("approved", "taken back")):
        things = tuple(t for t in things if t is not things[8])
    assert (decision.act is Act.MERGE) == all(t.fine for t in things)
    assert decision.reason


AGAINST = [(name, wrong) for name, wrong, _, act in TABLE if act is not Act.MERGE]


def _fields(wrong: dict[str, Any]) -> set[str]:
    """What it speaks of, by full names."""
    named = {f"{part}.{name}" for part, sub in wrong.items() if isinstance(sub, dict) for name in sub}
    return named | {name for name, value in wrong.items() if not isinstance(value, dict)}


def _both(one: dict[str, Any], more: dict[str, Any]) -> dict[str, Any] | None:
    """Both at once; None where they speak of the same thing, so that the second would replace the first."""
    if _fields(one) & _fields(more) or ("rules" in one and "rules" in more):
        return None
    parts = {
        name: {**one[name], **more[name]}
        for name in ("pull", "policy", "failures")
        if isinstance(one.get(name), dict) and isinstance(more.get(name), dict)
    }
    return {**one, **more, **parts}


@pytest.mark.parametrize("first", AGAINST, ids=[name for name, _ in AGAINST])
def test_nothing_that_speaks_against_a_merge_is_lifted_by_something_else_that_does(
    first: tuple[str, dict[str, Any]],
) -> None:
    """Monotone: made worse in one more way, no refusal becomes a merge."""
    pairs = [(name, both) for name, second in AGAINST if (both := _both(first[1], second)) is not None]
    assert len(pairs) > 10
    for name, both in pairs:
        assert decide(seen(**both)).act is not Act.MERGE, name


@given(SUBSETS, st.integers(0, 60), st.sampled_from(["not-computed", "conflict", "blocked", "base-red", "merge", ""]))
def test_no_number_of_waits_ends_in_a_merge(things: tuple[Thing, ...], waits: int, row: str) -> None:
    calm = decide(snapshot(things))
    tired = decide(snapshot(things).model_copy(update={"waited": row, "waits": waits}))
    assert (tired.act is Act.MERGE) == (calm.act is Act.MERGE)
    assert tired.row == calm.row


@given(
    SUBSETS | ONLY_RED,
    st.dictionaries(st.integers(1, 2), st.sampled_from(FailureClass)),
    st.integers(0, 3),
    st.lists(st.sampled_from([100, 101])),
)
def test_no_kind_of_failure_rerun_or_attempt_makes_red_green(
    things: tuple[Thing, ...], failures: dict[int, FailureClass], fixes: int, reruns: list[int]
) -> None:
    plain = decide(snapshot(things))
    known = {"failures": failures, "fixes": fixes, "reruns": tuple(reruns)}
    told = decide(snapshot(things).model_copy(update=known))
    assert (told.act is Act.MERGE) == (plain.act is Act.MERGE)


@given(
    ONLY_RED,
    st.fixed_dictionaries(dict.fromkeys((1, 2), st.sampled_from([CODE, CODE, CODE, *FailureClass]))),
    st.integers(0, 2),
    st.lists(st.sampled_from([100, 101])),
)
def test_only_what_is_not_the_changes_own_doing_is_run_again_and_an_agent_mends_twice_at_most(
    things: tuple[Thing, ...], failures: dict[int, FailureClass], fixes: int, reruns: list[int]
) -> None:
    known = {"failures": failures, "fixes": fixes, "reruns": tuple(reruns)}
    told = decide(snapshot(things).model_copy(update=known))
    assert told.act is not Act.MERGE
    if told.act is Act.FIX:
        assert fixes < 2
    if told.act is Act.RERUN:
        assert all(failures[n] is not FailureClass.CODE for n in told.checks)
