"""What the checks on one commit amount to: which results count, and what each of them says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.merge.checks import CheckSummary, CheckVerdict, current, key_of, summarise, verdict_of
from ops_orchestrate.core.merge.pull import Check, Conclusion, RequiredCheck
from tests.core.merge.seen import ACTIONS_APP, check, status

C = Conclusion
SAYS = {
    C.SUCCESS: CheckVerdict.GOOD,
    C.PENDING: CheckVerdict.PENDING,
    C.FAILURE: CheckVerdict.RED,
    C.TIMED_OUT: CheckVerdict.RED,
    C.STARTUP_FAILURE: CheckVerdict.RED,
    C.ACTION_REQUIRED: CheckVerdict.RED,
    C.CANCELLED: CheckVerdict.RED,
    C.STALE: CheckVerdict.RED,
    C.NEUTRAL: CheckVerdict.SILENT,
    C.SKIPPED: CheckVerdict.SILENT,
    C.UNKNOWN: CheckVerdict.UNKNOWN,
}


def test_every_conclusion_has_its_meaning() -> None:
    assert {c: verdict_of(check(conclusion=c)) for c in Conclusion} == SAYS


def run(id: int, conclusion: Conclusion, start: float, end: float = 0.0, **kw: Any) -> Check:
    name = kw.pop("name", "tests")
    return check(name, conclusion, **({"id": id, "run": id, "started_at": start, "completed_at": end} | kw))


# Two or three results under one key, and which of them count (by id).
DUPLICATES: list[tuple[str, tuple[Check, ...], set[int]]] = [
    ("a rerun that passed", (run(1, C.FAILURE, 10, 20), run(2, C.SUCCESS, 30, 40)), {2}),
    ("a rerun that failed", (run(1, C.SUCCESS, 10, 20), run(2, C.FAILURE, 30, 40)), {2}),
    ("it started as the other ended", (run(1, C.FAILURE, 10, 20), run(2, C.SUCCESS, 20, 40)), {2}),
    ("twins, one red", (run(1, C.FAILURE, 10, 30), run(2, C.SUCCESS, 20, 40)), {1, 2}),
    ("twins, the newer red", (run(1, C.SUCCESS, 10, 30), run(2, C.FAILURE, 20, 40)), {1, 2}),
    ("cancelled by a newer push of the button", (run(1, C.CANCELLED, 10, 25), run(2, C.SUCCESS, 20, 40)), {2}),
    ("the newer one was cancelled", (run(1, C.SUCCESS, 10, 40), run(2, C.CANCELLED, 20, 25)), {1, 2}),
    ("cancelled after the other had ended", (run(1, C.SUCCESS, 10, 20), run(2, C.CANCELLED, 30, 35)), {2}),
    ("stale", (run(1, C.STALE, 10, 99), run(2, C.SUCCESS, 20, 40)), {2}),
    (
        "another attempt of one run",
        (run(1, C.FAILURE, 10, 30, run=9), run(2, C.SUCCESS, 20, 40, run=9, attempt=2)),
        {2},
    ),
    ("two jobs of one name in one run", (run(1, C.FAILURE, 10, 30, run=9), run(2, C.SUCCESS, 20, 40, run=9)), {1, 2}),
    ("tried again right now", (run(1, C.FAILURE, 10, 20), run(2, C.PENDING, 0)), {2}),
    ("tried again, the first is not over", (run(1, C.PENDING, 10), run(2, C.SUCCESS, 20, 40)), {1, 2}),
    ("a skip replaces no failure", (run(1, C.FAILURE, 10, 20), run(2, C.SKIPPED, 30, 30)), {1, 2}),
    ("a neutral replaces no success", (run(1, C.SUCCESS, 10, 20), run(2, C.NEUTRAL, 30, 30)), {1, 2}),
    ("no times known", (run(1, C.FAILURE, 0), run(2, C.SUCCESS, 0)), {1, 2}),
    ("three in a row", (run(1, C.FAILURE, 1, 2), run(2, C.CANCELLED, 3, 4), run(3, C.SUCCESS, 5, 6)), {3}),
    ("one result read twice", (run(1, C.SUCCESS, 1, 2), run(1, C.FAILURE, 1, 2)), {1}),
]


# Two runs side by side; in the second one `tests` waited for `build`, and so started when the other was over.
BESIDE = (
    run(1, C.FAILURE, 10, 90, run=8),
    run(2, C.SUCCESS, 11, 95, run=9, name="build"),
    run(3, C.SUCCESS, 99, 150, run=9),
)


def test_a_job_that_waited_for_another_is_no_later_try_of_its_twin() -> None:
    assert {c.id for c in summarise(BESIDE).red} == {1}
    again = (*BESIDE, run(4, C.SUCCESS, 200, 250, run=9, attempt=2), run(5, C.SUCCESS, 200, 250, run=7))
    assert {c.id for c in summarise(again).red} == {1}
    later = tuple(c.model_copy(update={"started_at": c.started_at + 90}) if c.run == 9 else c for c in BESIDE)
    assert summarise(later).green


@pytest.mark.parametrize(("checks", "count"), [d[1:] for d in DUPLICATES], ids=[d[0] for d in DUPLICATES])
def test_which_of_several_results_count(checks: tuple[Check, ...], count: set[int]) -> None:
    for order in (checks, checks[::-1]):  # the order of the forge's list says nothing
        assert {c.id for c in current(order)} == count


OTHERS = [
    {"workflow": 2},
    {"event": "push"},
    {"app": 7},
    {"kind": "status", "workflow": None, "run": None},
    {"name": "tests (3.12)"},
]


@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_an_equal_name_elsewhere_hides_no_red(other: dict[str, Any]) -> None:
    summary = summarise((run(1, C.FAILURE, 10, 20), run(2, C.SUCCESS, 30, 40, **other)))
    assert [c.id for c in summary.red] == [1]


def test_of_a_commit_status_the_newest_counts() -> None:
    red, good = status("ext", C.FAILURE, id=1), status("ext", C.SUCCESS, id=2)
    assert summarise((good, red)).green
    assert not summarise((status("ext", C.FAILURE, id=3), good)).green
    assert summarise((status("ext", C.PENDING),)).pending == ("ext",)


# (checks, what is asked of them, what the summary says besides)
SUMS: list[tuple[str, tuple[Check, ...], dict[str, Any], dict[str, Any]]] = [
    ("nothing", (), {}, {"green": False, "seen": 0}),
    ("one pass", (check(),), {}, {"green": True, "passed": 1}),
    ("our own", (check(ours=True),), {}, {"green": False, "seen": 0}),
    ("our own red", (check(), check("gate", C.FAILURE, id=2, ours=True)), {}, {"green": True}),
    ("our own required", (check("gate", ours=True),), {"expected": ("gate",)}, {"missing": ("gate",)}),
    ("red, not required", (check(), check("docs", C.FAILURE, id=2)), {"expected": ("tests",)}, {"green": False}),
    ("partial", (check(),), {"expected": ("tests", "e2e")}, {"green": False, "missing": ("e2e",)}),
    ("unknown", (check(), check("new", C.UNKNOWN, id=2)), {}, {"green": False, "unknown": ("new",)}),
    ("skipped", (check(), check("deploy", C.SKIPPED, id=2)), {}, {"green": True, "passed": 1}),
    ("only skipped", (check("deploy", C.SKIPPED),), {}, {"green": False, "passed": 0}),
    (
        "required by the forge's word, skipped",
        (check(), check("e2e", C.SKIPPED, id=2, required=True)),
        {},
        {"unproved": ("e2e",)},
    ),
    ("expected, neutral", (check(), check("e2e", C.NEUTRAL, id=2)), {"expected": ("e2e",)}, {"unproved": ("e2e",)}),
    ("expected, skippable", (check("e2e", C.SKIPPED),), {"expected": ("e2e",), "skippable": ("e2e",)}, {"green": True}),
    (
        "required, skipped here and passed in a decoy",
        (check("e2e", C.SKIPPED), check("e2e", id=2, workflow=2, run=200)),
        {"required": (RequiredCheck(name="e2e"),)},
        {"unproved": ("e2e",), "green": False},
    ),
    ("from the right app", (check(),), {"required": (RequiredCheck(name="tests", app=ACTIONS_APP),)}, {"green": True}),
    (
        "from another app",
        (check(app=7),),
        {"required": (RequiredCheck(name="tests", app=ACTIONS_APP),)},
        {"missing": ("tests",)},
    ),
    (
        "a status by somebody",
        (status("tests", C.SUCCESS),),
        {"required": (RequiredCheck(name="tests", app=ACTIONS_APP),)},
        {"missing": ("tests",)},
    ),
    (
        "cancelled by a newer run that has not come to this job yet",
        (check("e2e", C.CANCELLED), check("build", C.PENDING, id=2, run=101)),
        {},
        {"red": (), "pending": ("build", "e2e")},
    ),
    (
        "cancelled by a newer run that is red before it came to this job",
        (check("e2e", C.CANCELLED), check("build", C.FAILURE, id=2, run=101)),
        {},
        {"red": (check("build", C.FAILURE, id=2, run=101),), "pending": ("e2e",)},
    ),
    (
        "cancelled, and the newer run ended without this job",
        (check("e2e", C.CANCELLED), check("build", id=2, run=101)),
        {},
        {"red": (check("e2e", C.CANCELLED),), "pending": ()},
    ),
    (
        "skipped because its need failed, which is run again",
        (check("build", C.FAILURE), check("e2e", C.SKIPPED, id=2), check("build", id=3, attempt=2)),
        {},
        {"green": False, "pending": ("e2e",)},
    ),
    (
        "and then it ran as well",
        (
            check("build", C.FAILURE),
            check("e2e", C.SKIPPED, id=2),
            check("build", id=3, attempt=2),
            check("e2e", id=4, attempt=2),
        ),
        {},
        {"green": True, "passed": 2},
    ),
    (
        "skippable, but behind a failure",
        (check("build", C.FAILURE), check("e2e", C.SKIPPED, id=2)),
        {"skippable": ("e2e",)},
        {"pending": ("e2e",)},
    ),
    (
        "a hundred and twenty, the last one red",
        (*(check(f"c{n}", id=n) for n in range(1, 120)), check("z", C.FAILURE, id=120)),
        {},
        {"green": False},
    ),
]


@pytest.mark.parametrize(("checks", "asked", "says"), [s[1:] for s in SUMS], ids=[s[0] for s in SUMS])
def test_what_they_amount_to(checks: tuple[Check, ...], asked: dict[str, Any], says: dict[str, Any]) -> None:
    summary = summarise(checks, **asked)
    assert {name: getattr(summary, name) for name in says} == says


def test_when_it_last_changed() -> None:
    summary = summarise((run(1, C.SUCCESS, 10, 90), run(2, C.PENDING, 50)))
    assert (summary.changed_at, summary.started_at) == (90, 50)
    assert summarise(()).changed_at == 0


def _results(conclusions: Any) -> Any:
    """One result with one of these conclusions."""
    return st.builds(
        check,
        st.sampled_from(["a", "b"]),
        st.sampled_from(conclusions),
        id=st.integers(1, 6),
        workflow=st.sampled_from([1, 2]),
        run=st.sampled_from([None, 10, 11]),
        attempt=st.integers(1, 2),
        started_at=st.sampled_from([0.0, 10.0, 20.0, 30.0]),
        completed_at=st.sampled_from([0.0, 15.0, 25.0, 35.0]),
        required=st.booleans(),
    )


def _lists(results: Any, most: int = 6) -> Any:
    return st.lists(results, max_size=most, unique_by=lambda c: c.id)


CHECKS = _results(Conclusion)
MANY = _lists(CHECKS)


def _sum(checks: list[Check]) -> CheckSummary:
    return summarise(checks, expected=("a",))


# Of results at random hardly a set is green; where a filter drops too many, Hypothesis itself fails the law.
FINE = [*[C.SUCCESS] * 5, C.SKIPPED, C.NEUTRAL, C.CANCELLED, C.FAILURE]
PASSED = _results([C.SUCCESS]).map(lambda c: c.model_copy(update={"id": 9, "name": "a"}))
GREEN = st.builds(lambda some, last: [*some, last], _lists(_results(FINE), 4), PASSED).filter(lambda c: _sum(c).green)


@given(MANY, st.randoms(use_true_random=False))
def test_the_order_of_the_list_changes_nothing(checks: list[Check], random: Any) -> None:
    shuffled = checks[:]
    random.shuffle(shuffled)
    assert _sum(shuffled) == _sum(checks)


@given(GREEN)
def test_green_means_that_every_key_has_a_pass_or_nothing_to_say_and_no_red_survives(checks: list[Check]) -> None:
    """Said anew, without the code's own words: look at what is newest of each key."""
    newest: dict[Any, Check] = {}
    for c in sorted(checks, key=lambda c: c.id):
        if c.conclusion not in (C.SKIPPED, C.NEUTRAL):
            newest[(c.workflow, c.name)] = c
    assert newest and all(c.conclusion is C.SUCCESS for c in newest.values())
    assert any(c.name == "a" for c in newest.values())


@given(MANY, CHECKS, st.sampled_from([c for c in Conclusion if SAYS[c] in (CheckVerdict.RED, CheckVerdict.UNKNOWN)]))
def test_one_more_red_or_unknown_result_is_never_green(checks: list[Check], more: Check, bad: Conclusion) -> None:
    newest = more.model_copy(update={"id": 99, "conclusion": bad})
    assert not _sum([*checks, newest]).green


@given(GREEN)
def test_a_green_set_with_one_result_made_worse_is_not_green(checks: list[Check]) -> None:
    for one in current(checks):
        rest = [c for c in checks if c != one]
        for bad in (C.FAILURE, C.PENDING, C.UNKNOWN):
            assert not _sum([*rest, one.model_copy(update={"conclusion": bad})]).green
        # What was broken off says nothing of the change, so anything that a later one of its key says replaces it.
        later = [c for c in rest if key_of(c) == key_of(one) and c.id > one.id]
        if all(SAYS[c.conclusion] is CheckVerdict.SILENT for c in later):
            assert not _sum([*rest, one.model_copy(update={"conclusion": C.CANCELLED})]).green
