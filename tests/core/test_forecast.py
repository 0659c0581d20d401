"""What a plan is expected to take."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.forecast import Forecast, forecast
from ops_orchestrate.core.task import TaskSpec
from ops_orchestrate.errors import PlanError
from tests.builders import make_task


def task(name: str, seconds: float = 10, repo: str = "", **kw: Any) -> TaskSpec:
    """A task that owns a repository of its own unless told otherwise."""
    return make_task(name, **({"repo": repo or name, "estimate": seconds, "paths": ()} | kw))


def times(found: Forecast) -> tuple[float, float]:
    """The bound and the expected time."""
    return found.seconds_lower_bound, found.seconds_expected


def test_an_empty_plan_takes_nothing() -> None:
    found = forecast([], 5)
    assert (found.agents, found.attempts, *times(found)) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("tasks", "cap", "expected"),
    [
        ([task(f"t{i}") for i in range(7)], 5, (14, 20)),
        ([task(f"t{i}") for i in range(7)], 50, (14, 20)),
        ([task(f"t{i}") for i in range(3)], 1, (30, 30)),
        ([task(f"t{i}") for i in range(3)], 0, (30, 30)),
        ([task("a"), task("b", blocked_by=("a",))], 5, (20, 20)),
        ([task("a", repo="r"), task("b", repo="r")], 5, (20, 20)),
        ([task("a", repo="r", paths=("x",)), task("b", repo="r", paths=("y",))], 5, (10, 10)),
        ([task("a", repo="r", paths=("x",)), task("b", repo="r")], 5, (20, 20)),
        ([task(f"t{i}", repo="r", paths=(f"{i}",)) for i in range(6)], 5, (12, 20)),
    ],
)
def test_bound_and_expected_time(tasks: list[TaskSpec], cap: int, expected: tuple[float, float]) -> None:
    found = forecast(tasks, cap)
    assert times(found) == expected
    assert found.seconds == found.seconds_expected
    assert found.attempts == len(tasks)
    assert found.agents <= min(max(cap, 1), 5)


def test_what_waits_for_a_person_is_not_counted() -> None:
    tasks = [task("a", human="sign"), task("b", blocked_by=("a",)), task("c"), task("d"), task("e", blocked_by=("d",))]
    found = forecast(tasks, 5, blocked=["d"])
    assert (found.attempts, found.waiting, found.agent_seconds, *times(found)) == (1, 4, 10, 10, 10)


def test_the_cost_is_unknown_until_an_attempt_had_one() -> None:
    found = forecast([task("a")], 5)
    assert found.cost_usd is None
    assert found.cost.startswith("unknown")


def test_a_known_price_is_multiplied_by_the_attempts() -> None:
    found = forecast([task("a"), task("b")], 5, price_per_attempt=0.4)
    assert found.cost_usd == pytest.approx(0.8)
    assert found.cost == "$0.80 (2 × $0.40, the average of earlier attempts)"


def test_a_plan_that_is_no_graph_is_refused() -> None:
    with pytest.raises(PlanError):
        forecast([task("a", blocked_by=("b",))], 5)


@st.composite
def plans(draw: st.DrawFn) -> list[TaskSpec]:
    """A random plan over three repositories."""
    made: list[TaskSpec] = []
    for at in range(draw(st.integers(0, 10))):
        blockers = draw(st.lists(st.sampled_from(made), max_size=2, unique_by=lambda one: one.id)) if made else []
        made.append(
            task(
                f"t{at}",
                draw(st.integers(1, 9)),
                draw(st.sampled_from("xyz")),
                paths=draw(st.sampled_from([(), (f"p{at}",), ("p/",)])),
                blocked_by=tuple(one.id for one in blockers),
            )
        )
    return made


@given(plans(), st.integers(1, 5))
def test_no_plan_is_faster_than_the_bound_or_slower_than_one_after_another(tasks: list[TaskSpec], cap: int) -> None:
    found = forecast(tasks, cap)
    assert found.seconds_lower_bound <= found.seconds_expected + 1e-9
    assert found.seconds_expected <= found.agent_seconds
    assert found.agents <= cap
