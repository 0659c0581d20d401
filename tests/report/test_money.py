"""Money in words: what is known, what is not and is said to be so, and what waits for it."""

from __future__ import annotations

from typing import Any

import pytest

from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.price import MICROS
from ops_orchestrate.core.spend import Amount, Caps, Day, Purse
from ops_orchestrate.core.treasury import Treasury
from ops_orchestrate.report.board import board
from ops_orchestrate.report.final import final_report
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.fold_attempt import LEASE_ENDED as LEASE
from ops_orchestrate.report.json import report_json
from ops_orchestrate.report.live import event_line
from ops_orchestrate.report.money import budget_text, cost_words, short_cost, today_lines, waiting_words
from ops_orchestrate.report.money import cost_of as cost
from ops_orchestrate.report.page.costs import costs
from ops_orchestrate.report.view import AttemptView, RunView

NOON = 1_795_780_800.0  # 2026-11-27 12:00 UTC


def tried(usd: float | None, tokens: int | None = None, *, ended: bool = True, **review: Any) -> AttemptView:
    """An attempt that cost so much."""
    return AttemptView(number=1, cost_usd=usd, tokens=tokens, ended=1.0 if ended else None, **review)


@pytest.mark.parametrize(
    ("attempts", "words", "short"),
    [
        ([], "none: no agent was started", "—"),
        ([tried(0.0, 0)], "$0.00", "$0.00"),
        ([tried(1.5, 1200)], "$1.50, 1,200 tokens", "$1.50, 1,200 tokens"),
        ([tried(0.1), tried(0.2)], "$0.30", "$0.30"),
        ([tried(0.000001)], "$0.0000", "$0.0000"),
        ([tried(1.5), tried(None)], "$1.50 (and 1 attempt of unknown price)", "$1.50, 1 of unknown price"),
        ([tried(None, 70)], "price unknown, 70 tokens", "70 tokens, price unknown"),
        ([tried(None, ended=False)], "not known yet", "—"),
        ([tried(1.0), tried(None, ended=False)], "$1.00", "$1.00"),
        (
            [tried(1.0, 10, review_usd=0.25, review_tokens=5), tried(2.0, 20)],
            "$3.25, 35 tokens; of which security review $0.25, 5 tokens",
            "$3.25, 35 tokens; of which security review $0.25, 5 tokens",
        ),
        (
            [tried(None, review_usd=0.25)],  # a reviewer's price is not its agent's
            "$0.25 (and 1 attempt of unknown price); of which security review $0.25",
            "$0.25, 1 of unknown price; of which security review $0.25",
        ),
        (
            [tried(1.0, reviews_unpriced=1)],
            "$1.00 (and 1 attempt of unknown price)",
            "$1.00, 1 of unknown price",
        ),
        ([tried(1.0, review_usd=0.0)], "$1.00", "$1.00"),  # nobody was asked
    ],
)
def test_what_attempts_have_cost(attempts: list[AttemptView], words: str, short: str) -> None:
    assert cost_words(attempts) == words
    assert short_cost(cost(attempts)) == short


def story(*events: tuple[EventKind, dict[str, Any]]) -> list[Event]:
    """Events of a run with one planned task."""
    planned = {"title": "x", "project": "app", "repo": "app", "priority": "P2", "mode": "subagent", "wave": 0}
    every = [(EventKind.TASK_PLANNED, planned | {"blocked_by": []}), *events]
    return [Event(seq=n, at=NOON, kind=kind, run="r", task="t", data=data) for n, (kind, data) in enumerate(every, 1)]


REVIEWED = {"what": "security review", "verdict": "approve", "agent": "claude"}


def reviewed(**data: Any) -> RunView:
    """A run of one attempt for a dollar and 100 tokens, and what followed it."""
    told = story(
        (EventKind.ATTEMPT_STARTED, {"agent": "claude"}),
        (EventKind.ATTEMPT_ENDED, {"outcome": "succeeded", "cost_usd": 1.0, "tokens": 100}),
        (EventKind.STAGE_LOST, {"stage": "review", "why": "nobody claimed it"}),
        (EventKind.EVIDENCE, REVIEWED | data),
    )
    return fold(event.model_copy(update={"attempt": 1}) for event in told)


def test_a_reviewers_part_is_in_every_total_and_shown_apart() -> None:
    view = reviewed(cost_usd=0.25, tokens=30)
    part = {"cost_usd": 1.25, "tokens": 130, "review_usd": 0.25, "review_tokens": 30, "unpriced": 0}
    document = report_json(view)
    (project,), (task,) = document["costs"], document["tasks"]
    for totals in (document["totals"], project, task, task["attempts"][0] | {"unpriced": 0}):
        assert {name: totals[name] for name in part} == part
    words = "$1.25, 130 tokens; of which security review $0.25, 30 tokens"
    assert f"Cost: {words}" in " ".join(line.strip() for line in board(view, 60).splitlines()), "cut nowhere"
    assert words in final_report(view, 120)
    assert costs(view)[0].cost == words


def test_a_review_that_nobody_knows_the_price_of_is_counted() -> None:
    assert cost_words(reviewed(cost_usd=None).tasks["t"].attempts).endswith("(and 1 attempt of unknown price)")


def test_a_reviewer_that_was_lost_has_cost_nobody_knows_what() -> None:
    lost = Event(
        seq=99, at=NOON, kind=EventKind.STAGE_LOST, run="r", task="t", attempt=1, data={"stage": "review", "why": LEASE}
    )
    assert cost(fold([lost], reviewed(cost_usd=0.25)).tasks["t"].attempts).unpriced == 1


WAITS = (EventKind.RUN_WAITING, {"reason": "claude has no quota", "until": NOON + 3600, "tasks": ["t"]})


def test_what_a_run_waits_for_is_on_every_screen_until_something_starts() -> None:
    view = fold(story(WAITS))
    words = "claude has no quota (until 2026-11-27 13:00 UTC)"
    assert waiting_words(view) == words
    assert f" Waiting: {words}" in board(view, 100)
    assert words in final_report(view, 120)
    assert report_json(view)["waiting"] == {"reason": "claude has no quota", "until": NOON + 3600}
    after = fold(story(WAITS, (EventKind.SLOT_TAKEN, {"slot": 1})))
    assert waiting_words(after) == ""
    assert "Waiting" not in board(after, 100)
    assert report_json(after)["waiting"] is None


def test_what_is_told_while_it_happens() -> None:
    parked = (EventKind.ACCOUNT_PARKED, {"account": "claude/KEY", "until": NOON + 90})
    told = [event_line(event, fold(story(parked, WAITS))) for event in story(parked, WAITS)[1:]]
    assert told == [
        "■ claude/KEY has no quota for 1 min 30 s: nothing is started with it",
        "  1 task waiting: claude has no quota (until 2026-11-27 13:00 UTC)",
    ]


def treasury(**fields: Any) -> Treasury:
    """Today, with 2.50 spent, a dollar set aside and a cap of five."""
    values = {
        "day": Day(label="2026-11-27", begins=NOON - 43200, ends=NOON + 43200),
        "purse": Purse(micros=2_500_000, reserved_micros=MICROS, tokens=900, unpriced=1),
        "caps": Caps(day=Amount(micros=5 * MICROS), task=Amount(micros=MICROS, tokens=2000)),
        "parked": {"claude/KEY": NOON + 3600},
    }
    return Treasury(**(values | fields))


def test_the_day() -> None:
    assert today_lines(treasury()) == [
        "$2.50 used, $1.00 reserved, of $5.00, and 1 attempt of which nobody knows",
        "900 tokens used",
    ]
    review = Purse(micros=2_500_000, tokens=900, review_micros=500_000, review_tokens=60)
    assert today_lines(treasury(purse=review)) == [
        "$2.50 used (of which security review $0.50), of $5.00",
        "900 tokens used (of which security review 60 tokens)",
    ]
    (*_, last) = today_lines(treasury(whole=False))
    assert last == "the ledger is younger than the day: what came before is not known (--spent-today)"
    assert len(today_lines(treasury(whole=False, caps=Caps()))) == 2, "nobody asks without a cap"


def test_the_budget_on_a_screen() -> None:
    text = budget_text(treasury(), 100)
    assert "Budget | 2026-11-27 (UTC)" in text
    assert "task: $1.00 and 2,000 tokens" in text
    assert "claude/KEY has no quota until 2026-11-27 13:00 UTC" in text
    assert all(len(line) <= 100 for line in text.splitlines())
    assert "no account is parked" in budget_text(treasury(parked={}, caps=Caps()), 40)
