"""Whether what was merged is served and well, one look after the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.watch import IN_A_ROW, Watched, WatchEnd, WatchLook, WatchRule, watch

COMMIT = "c" * 40
RULE = WatchRule(window=900, deadline=1800)
BEGAN = 1000.0


def watched(**more: object) -> Watched:
    return Watched.model_validate({"branch": "main", "commit": COMMIT, "began_at": BEGAN} | more)


def look(at: float, **more: object) -> WatchLook:
    return WatchLook.model_validate({"now": BEGAN + at, "detail": "said"} | more)


SERVED = {"served": 3, "served_at": BEGAN + 100}
DOWN = {"healthy": -5, "sick_since": BEGAN + 100}
WAS_SICK = {"healthy_before": False}


@pytest.mark.parametrize(
    ("before", "seen", "end", "why"),
    [
        ({}, look(30, served=""), WatchEnd.WATCHING, "not served yet"),
        ({}, look(30, served="d" * 40), WatchEnd.WATCHING, "not served yet"),
        ({}, look(1800, served="d" * 40), WatchEnd.UNKNOWN, "was not served within 1800 s"),
        ({}, look(30, served=COMMIT), WatchEnd.WATCHING, "not served yet"),
        ({"served": 2}, look(30, served=COMMIT), WatchEnd.WATCHING, "is being watched"),
        ({"served": 2}, look(30, served=COMMIT[:6]), WatchEnd.WATCHING, "not served yet"),
        ({"healthy": -2}, look(30, healthy=False), WatchEnd.BAD, "not healthy: said"),
        ({"healthy": -1}, look(30, healthy=False), WatchEnd.WATCHING, "is being watched"),
        ({"healthy": 5}, look(901, healthy=False), WatchEnd.WATCHING, "is being watched"),
        ({"healthy": 5}, look(901, healthy=True), WatchEnd.GOOD, "healthy; errors were not looked at"),
        ({"healthy": 1}, look(901, healthy=True), WatchEnd.WATCHING, "is being watched"),
        (SERVED, look(1001, served=COMMIT), WatchEnd.GOOD, "is served; errors were not looked at"),
        (SERVED, look(999, served=COMMIT), WatchEnd.WATCHING, "is being watched"),
        (SERVED | {"errors_before": 2}, look(200, served=COMMIT, errors=5), WatchEnd.BAD, "5 errors since"),
        (SERVED | {"errors_before": 3}, look(200, served=COMMIT, errors=6), WatchEnd.WATCHING, "is being watched"),
        (SERVED | {"errors_before": 0}, look(200, served=COMMIT, errors=4), WatchEnd.WATCHING, "is being watched"),
        (SERVED, look(200, served=COMMIT, errors=500), WatchEnd.WATCHING, "is being watched"),
        (SERVED | {"errors_before": 3}, look(1001, served=COMMIT, errors=2), WatchEnd.GOOD, "is served, 2 errors"),
        ({"errors_before": 3}, look(901), WatchEnd.UNKNOWN, "nothing could be looked at"),
        # It is down, and does not say what it serves: a deployment may be replacing it for a while.
        (DOWN, look(330, served="", healthy=False), WatchEnd.WATCHING, "not served yet"),
        (DOWN, look(401, served="", healthy=False), WatchEnd.BAD, "not healthy: said"),
        (DOWN, look(1800, served="", healthy=None), WatchEnd.UNKNOWN, "was not served"),
        (DOWN, look(401, served="", healthy=None, answers=False), WatchEnd.BAD, "not healthy"),
        (DOWN, look(401, served="", healthy=None, answers=None), WatchEnd.WATCHING, "not served yet"),
        (DOWN | {"sick_since": BEGAN + 1700}, look(1800, served="", healthy=False), WatchEnd.BAD, "not healthy"),
        (DOWN | {"healthy": -1}, look(1800, served="", healthy=False), WatchEnd.WATCHING, "not served yet"),
        # It was down before: the merge is not to blame, and a person is told.
        (DOWN | WAS_SICK, look(401, served="", healthy=False), WatchEnd.WATCHING, "not served yet"),
        (DOWN | WAS_SICK, look(1800, served="", healthy=False), WatchEnd.UNKNOWN, "before the merge either"),
        ({"healthy": -9} | WAS_SICK, look(2700, healthy=False), WatchEnd.UNKNOWN, "before the merge either"),
        # Nobody can be made to watch for ever.
        ({"healthy": 1}, look(2700, healthy=False), WatchEnd.UNKNOWN, "did not stay healthy"),
        ({"healthy": 1}, look(2700), WatchEnd.UNKNOWN, "did not stay healthy"),
        ({"healthy": 5} | SERVED, look(1001, served=""), WatchEnd.UNKNOWN, "nothing could be looked at"),
    ],
)
def test_one_look(before: dict[str, object], seen: WatchLook, end: WatchEnd, why: str) -> None:
    _, found, reason = watch(watched(**before), seen, RULE)
    assert (found, why in reason) == (end, True), reason


LOOKS = st.builds(
    WatchLook,
    now=st.just(0.0),
    served=st.sampled_from([None, "", COMMIT, "d" * 40]),
    healthy=st.sampled_from([None, True, False]),
    answers=st.sampled_from([None, True, False]),
    errors=st.sampled_from([None, 0, 5, 100]),
)


# What stays as it is after a while: a good end takes many good looks in a row, which never come about at random.
FINE = WatchLook(now=0.0, served=COMMIT, healthy=True, errors=0)
STORIES = st.builds(
    lambda some, last, times: [*some, *[last] * times],
    st.lists(LOOKS, max_size=8),
    LOOKS | st.just(FINE),
    st.sampled_from([0, 3, 20, 30]),
)


@given(STORIES, st.sampled_from([None, 0, 3]))
def test_a_bad_end_is_seen_several_times_or_counted_and_a_good_one_takes_the_window(
    looks: list[WatchLook], errors_before: int | None
) -> None:
    state, now = watched(errors_before=errors_before), BEGAN
    for number, one in enumerate(looks, 1):
        now += 60
        seen = one.model_copy(update={"now": now})
        state, end, _ = watch(state, seen, RULE)
        if end is WatchEnd.BAD:
            said = [one for one in looks[:number] if one.healthy is not None or one.answers is not None]
            sick = [one.sick for one in said[-IN_A_ROW:]] == [True] * IN_A_ROW
            assert sick or (seen.errors is not None and errors_before is not None and seen.errors > errors_before)
            return
        if end is WatchEnd.GOOD:
            assert now - (state.served_at or BEGAN) >= RULE.window
            assert state.healthy >= 0
            return


@given(STORIES, st.sampled_from([None, True, False]))
def test_every_watch_ends(looks: list[WatchLook], healthy_before: bool | None) -> None:
    state, now, end, number = watched(healthy_before=healthy_before), BEGAN, WatchEnd.WATCHING, 0
    while end is WatchEnd.WATCHING:
        now += 60
        one = looks[number % len(looks)] if looks else WatchLook(now=now)
        state, end, _ = watch(state, one.model_copy(update={"now": now}), RULE)
        number += 1
        assert now - BEGAN <= RULE.window + 2 * RULE.deadline + IN_A_ROW * 60


@given(STORIES)
def test_who_could_not_be_asked_is_never_called_down(looks: list[WatchLook]) -> None:
    state, now = watched(), BEGAN
    for one in looks:
        now += 60
        unasked = one.model_copy(update={"now": now, "healthy": None, "answers": None, "errors": None})
        state, end, _ = watch(state, unasked, RULE)
        assert end is not WatchEnd.BAD
