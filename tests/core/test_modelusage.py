"""Tokens as the providers count them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.modelusage import ModelUsage, Tokens, may_use, tokens_in

COUNTS = st.builds(Tokens, *[st.integers(0, 10**6)] * 5)


CACHED = {"input_tokens": 30, "output_tokens": 4, "input_tokens_details": {"cached_tokens": 20}}


@pytest.mark.parametrize(
    ("answer", "tokens"),
    [
        ({"usage": {"input_tokens": 3, "output_tokens": 4}}, Tokens(3, 4)),
        (
            {"message": {"usage": {"input_tokens": 3, "cache_read_input_tokens": 9, "cache_creation_input_tokens": 8}}},
            Tokens(3, 0, 9, 8),
        ),
        ({"usage": {"cache_creation_input_tokens": 8, "cache_creation": {"ephemeral_1h_input_tokens": 5}}},
         Tokens(cache_write=3, cache_write_hour=5)),
        (
            {"response": {"usage": CACHED}},
            Tokens(10, 4, 20),
        ),
        (
            {"usage": {"prompt_tokens": 30, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 5}}},
            Tokens(25, 4, 5),
        ),
        (
            {"usageMetadata": {"promptTokenCount": 30, "candidatesTokenCount": 4, "thoughtsTokenCount": 6}},
            Tokens(30, 10),
        ),
        ({"usage": {"input_tokens": -3, "output_tokens": "many"}}, Tokens()),
        ({"usage": None}, None),
        ({"type": "ping"}, None),
    ],
)  # fmt: skip
def test_where_an_answer_counts(answer: dict[str, Any], tokens: Tokens | None) -> None:
    assert tokens_in(answer) == tokens


@pytest.mark.parametrize(
    ("limits", "output"),
    [
        ({"max_tokens": 10}, 10),
        ({"max_completion_tokens": 20, "max_tokens": 10}, 20),
        ({"max_output_tokens": 30}, 30),
        ({"generationConfig": {"maxOutputTokens": 40}}, 40),
        ({}, 32_000),
        ({"max_tokens": "many", "generationConfig": "odd"}, 32_000),
    ],
)
def test_what_a_call_may_come_to(limits: dict[str, Any], output: int) -> None:
    assert may_use(limits, 299) == Tokens(100, output)


@pytest.mark.parametrize(
    ("asked", "output"),
    [
        ({"max_tokens": 100, "n": 8}, 800),
        ({"n": 3}, 96_000),
        ({"generationConfig": {"maxOutputTokens": 50, "candidateCount": 4}}, 200),
        ({"generation_config": {"max_output_tokens": 50, "candidate_count": 4}}, 200),
        ({"max_tokens": 100, "n": 0}, 100),
        ({"max_tokens": 100, "n": "many"}, 100),
        ({"generationConfig": {"maxOutputTokens": "50", "candidateCount": "4"}}, 200),  # Gemini reads these, too
        ({"max_tokens": 10**9, "n": 10**9}, 10**10),
    ],
)
def test_a_call_for_several_answers_may_use_as_many_times_the_longest(asked: dict[str, Any], output: int) -> None:
    assert may_use(asked, 0).output == output


@given(COUNTS, COUNTS)
def test_a_sum_is_a_sum_and_a_count_only_grows(one: Tokens, other: Tokens) -> None:
    assert one.plus(other).all == one.all + other.all
    assert one.at_least(other) == other.at_least(one)
    assert one.at_least(other).all >= max(one.all, other.all)


def test_the_total_is_over_all_models() -> None:
    assert ModelUsage(tokens={"a": Tokens(1, 2), "b": Tokens(3, 4, 5, 6)}).total == Tokens(4, 6, 5, 6)
