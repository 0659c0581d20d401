"""What happens to an answer on its way, however the network cuts it: laws."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.adapters.modelproxy.account import Account, Meter
from ops_orchestrate.adapters.modelproxy.keyfilter import KeyFilter
from ops_orchestrate.adapters.modelproxy.terms import Limits
from ops_orchestrate.core.modelusage import Tokens
from tests.adapters.modelproxy.model import said

KEY = b"abab-key"
TEXT = st.lists(st.sampled_from([b"a", b"b", b"ab", b"abab-", b"-key", KEY, b"x", b"\n"]), max_size=20).map(b"".join)
CUTS = st.lists(st.integers(0, 200), max_size=12)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """`data`, cut there."""
    at = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[begin:end] for begin, end in pairwise(at)]


@given(TEXT, CUTS)
def test_the_key_never_passes_and_everything_else_does(text: bytes, cuts: list[int]) -> None:
    keeper = KeyFilter(KEY)
    out = b"".join(keeper.feed(piece) for piece in pieces(text, cuts)) + keeper.end()
    assert KEY not in out
    assert out == text.replace(KEY, b"[removed]")


@given(TEXT, CUTS)
def test_nothing_is_held_back_but_what_may_be_the_key(text: bytes, cuts: list[int]) -> None:
    keeper = KeyFilter(KEY)
    for piece in pieces(text, cuts):
        keeper.feed(piece)
    assert KEY.startswith(keeper.end())


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 10**6), CUTS)
def test_however_it_is_cut_the_count_is_the_same(given: int, made: int, cached: int, cuts: list[int]) -> None:
    meter = Meter(b"text/event-stream; charset=utf-8")
    for piece in pieces(b"".join(said(given=given, made=made, cached=cached)), cuts):
        meter.feed(piece)
    assert meter.end() == Tokens(given, made, cached)


@given(st.text(max_size=50))
def test_words_of_the_model_are_no_count(words: str) -> None:
    """It may say whatever it likes: `{"usage": {"output_tokens": 0}}`, for instance."""
    text = words + '"usage":{"output_tokens":999999}\n\ndata: {"usage":{"output_tokens":999999}}'
    meter = Meter(b"text/event-stream")
    meter.feed(b"".join(said(text)))
    assert meter.end() == Tokens(10, 5)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 1000)), max_size=20), st.integers(1, 3000))
def test_no_call_begins_above_the_cap(calls: list[tuple[str, int]], cap: int) -> None:
    account = Account(Limits(tokens=cap), None)
    for model, used in calls:
        before = account.usage().total.all
        problem = account.begin(model, Tokens(output=1000))
        assert bool(problem) is (before >= cap)
        if not problem:
            account.end(model, Tokens(output=1000), Tokens(output=used))
    assert account.usage().total.all <= cap + 1000


@given(
    st.lists(st.tuples(st.integers(1, 1000), st.floats(0, 1), st.integers(0, 9)), max_size=40),
    st.integers(1, 3000),
    st.booleans(),
)
def test_calls_at_once_pass_a_cap_by_one_call_at_most(
    calls: list[tuple[int, float, int]], cap: int, in_dollars: bool
) -> None:
    """Each may come to so much, comes to a share of it, and ends after some others have begun."""
    limits = Limits(usd=cap / 1e6) if in_dollars else Limits(tokens=cap)
    account = Account(limits, lambda _, tokens: tokens.all)
    under_way: list[tuple[int, float]] = []
    for most, share, ends in calls:
        if not account.begin("m", Tokens(output=most)):
            under_way.append((most, share))
        for _ in range(min(ends, len(under_way))):
            used, part = under_way.pop(0)
            account.end("m", Tokens(output=used), Tokens(output=int(used * part)))
    for used, _ in under_way:
        account.end("m", Tokens(output=used), Tokens(output=used))
    assert account.usage().total.all < cap + max((most for most, _, _ in calls), default=1)
    assert account.usage().calls <= len(calls)
