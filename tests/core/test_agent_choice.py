"""Which agent an attempt gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.agent_choice import AgentChoice, choose_agent, in_order

A, B, C = ("claude", "anthropic"), ("gemini", "google"), ("codex", "openai")
A2 = ("acp", "anthropic")

ROWS: list[tuple[tuple[tuple[str, str], ...], dict[str, float], AgentChoice]] = [
    # in order, parked until, at 100
    ((A, B, C), {}, AgentChoice(agent="claude")),
    ((A, B, C), {"anthropic": 200}, AgentChoice(agent="gemini")),
    ((A, B, C), {"anthropic": 200, "google": 150}, AgentChoice(agent="codex")),
    ((A, B, C), {"anthropic": 200, "google": 150, "openai": 300}, AgentChoice(until=150)),
    ((A, B), {"anthropic": 100}, AgentChoice(agent="claude")),
    ((A, B), {"anthropic": 99}, AgentChoice(agent="claude")),
    ((A, B), {"google": 200}, AgentChoice(agent="claude")),
    ((A,), {"anthropic": 200}, AgentChoice(until=200)),
    ((A, A2, B), {"anthropic": 200}, AgentChoice(agent="gemini")),
    ((A, B), {"somebody": 200}, AgentChoice(agent="claude")),
    ((), {}, AgentChoice()),
]


@pytest.mark.parametrize(("agents", "parked", "choice"), ROWS)
def test_the_choice(agents: tuple[tuple[str, str], ...], parked: dict[str, float], choice: AgentChoice) -> None:
    assert choose_agent(agents, parked, 100) == choice


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("wxyz"))),
    st.dictionaries(st.sampled_from("wxyz"), st.floats(0, 1e9)),
)
def test_who_waits_finds_an_agent_at_that_moment_and_not_before(
    agents: list[tuple[str, str]], parked: dict[str, float]
) -> None:
    choice = choose_agent(agents, parked, 5e8)
    if agents and not choice.agent:
        assert choice.until > 5e8
        assert choose_agent(agents, parked, choice.until).agent
        assert not choose_agent(agents, parked, (5e8 + choice.until) / 2).agent or choice.until - 5e8 < 1e-3


def test_the_order() -> None:
    assert in_order("claude", ("gemini", "claude", "codex", "gemini")) == ("claude", "gemini", "codex")
