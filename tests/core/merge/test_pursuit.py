"""What is remembered between two looks at a change."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.change import LandingEnd
from ops_orchestrate.core.merge.failure import FailureClass
from ops_orchestrate.core.merge.pull import Check, Conclusion, Pull, PullState
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.merge.snapshot import Act, Decision

FULL = Pursuit(
    number=7,
    branch="ops/r1/t1",
    head="h1",
    checks=("run:None:None::build",),
    new_check_at=50.0,
    failures={3: FailureClass.CODE},
    reruns=(5,),
    fixes=2,
    waits=4,
    row="pending",
    mending=True,
    said_at=60.5,
    merged_at=9.0,
)


def pull(*names: str, of: str = "h1") -> Pull:
    checks = tuple(Check(kind="run", id=n, name=name, conclusion=Conclusion.PENDING) for n, name in enumerate(names))
    return Pull(
        number=7, state=PullState.OPEN, head="h1", head_ref="ops/r1/t1", base_ref="dev", checks=checks, checks_of=of
    )


def test_another_head_forgets_all_that_was_seen_of_the_last_one_and_keeps_what_belongs_to_the_change() -> None:
    assert FULL.pushed("h2", base="b2") == Pursuit(
        number=7,
        branch="ops/r1/t1",
        head="h2",
        base="b2",
        fixes=2,
        fixed_at=60.5,  # what reviewers said by then is dealt with; what they said since is not
    )
    assert FULL.pushed("h1", base="b2") is FULL


def test_a_check_that_was_not_there_before_starts_the_time_to_settle_anew() -> None:
    assert FULL.saw(pull("build"), 80.0) is FULL
    assert FULL.saw(pull("build", "lint"), 80.0).new_check_at == 80.0
    assert FULL.saw(pull("build", "lint"), 80.0).saw(pull("lint"), 90.0).new_check_at == 80.0  # one is late: no news


def test_checks_of_another_commit_are_no_news() -> None:
    assert FULL.saw(pull("lint", of="h0"), 80.0) is FULL


def test_only_the_same_wait_in_a_row_is_counted() -> None:
    wait = Decision(act=Act.WAIT, row="pending", reason="CI is running")
    assert FULL.decided(wait).waits == 5
    assert FULL.decided(Decision(act=Act.WAIT, row="draft", reason="a draft")).waits == 1
    assert FULL.decided(Decision(act=Act.MERGE, row="pending", reason="")).waits == 0


def test_looking_for_a_merge_that_never_shows_is_counted_as_well() -> None:
    """Otherwise it is looked for until the end of days, in the lane of its base, and nothing else gets merged there."""
    again = Decision(act=Act.RECONCILE, row="merged", reason="the forge says that it is merged")
    once = FULL.decided(again)
    assert (once.waits, once.decided(again).waits, once.decided(again).decided(again).waits) == (1, 2, 3)


@pytest.mark.parametrize(("end", "most"), [(LandingEnd.REFUSED, 3), (LandingEnd.MOVED, 10)])
def test_a_forge_that_goes_on_refusing_is_for_a_person(end: LandingEnd, most: int) -> None:
    asked = FULL.model_copy(update={"refusals": 0, "merged_at": 5.0})
    given_up = []
    for _ in range(most):
        asked = asked.refused()
        given_up.append(asked.given_up(end))
    assert given_up == [False] * (most - 1) + [True]
    assert asked.merged_at == 0.0  # nothing is under way
