"""Mailboxes: in order, each message once, never more than they hold, and told once an attempt."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.mail import MOST, Topic, letter
from ops_orchestrate.core.states import RunState, Stage, TaskState
from ops_orchestrate.errors import UnknownRun, UnknownTask
from ops_orchestrate.ledger import Ledger
from tests.ledger.play import at_stage, claimed, completed, data_of, failed, planned, snapshot


def send(ledger: Ledger, text: str, id: str = "", task: str = "t1") -> tuple[str, int]:
    posted = ledger.mail.send("r1", task, letter("ana", Topic.PERSON, text), id=id or text)
    return posted.kind, posted.number


def test_messages_are_kept_in_order_with_number_sender_and_time(ledger: Ledger) -> None:
    planned(ledger)
    assert [send(ledger, "one"), send(ledger, "two")] == [("sent", 1), ("sent", 2)]
    first, second = ledger.mail.after("r1", "t1", 0)
    assert (first.number, first.sender, first.topic, first.text) == (1, "ana", Topic.PERSON, "one")
    assert second.at >= first.at > 0
    assert ledger.mail.after("r1", "t1", 1) == [second]
    assert data_of(ledger, EventKind.MESSAGE_SENT)[0] == {"number": 1, "from": "ana", "topic": "person", "text": "one"}


def test_the_same_message_is_put_in_once(ledger: Ledger) -> None:
    planned(ledger)
    assert [send(ledger, "one", id="x"), send(ledger, "another", id="x")] == [("sent", 1), ("known", 1)]
    assert [one.text for one in ledger.mail.after("r1", "t1", 0)] == ["one"]


def test_odd_text_comes_out_as_it_went_in(ledger: Ledger) -> None:
    planned(ledger)
    text = 'a "quote" \\ back\nslash / ü 🙂 {"x": []}'
    send(ledger, text)
    assert ledger.mail.after("r1", "t1", 0)[0].text == text


def test_a_mailbox_takes_no_more_than_it_holds(ledger: Ledger) -> None:
    planned(ledger)
    assert {send(ledger, f"m{n}")[0] for n in range(MOST)} == {"sent"}
    assert send(ledger, "one more") == ("full", 0)


def test_a_full_mailbox_still_takes_what_a_blocker_hands_over(ledger: Ledger) -> None:
    planned(ledger)
    for number in range(MOST):
        send(ledger, f"m{number}")
    posted = ledger.mail.send("r1", "t1", letter("api-worker", Topic.HAND_OVER, "merged"), id="hand-over:t0")
    assert (posted.kind, posted.number) == ("sent", MOST + 1)


@pytest.mark.parametrize("state", [TaskState.DISCARDED, TaskState.CANCELLED])
def test_nobody_is_written_to_who_has_ended(ledger: Ledger, state: TaskState) -> None:
    planned(ledger)
    failed(ledger, state)
    assert send(ledger, "hello") == ("ended", 0)


def test_nor_to_whose_work_is_merged(ledger: Ledger) -> None:
    planned(ledger)
    completed(ledger)
    assert send(ledger, "hello") == ("ended", 0)


def test_an_attempt_is_told_each_message_once(ledger: Ledger) -> None:
    planned(ledger)
    key = at_stage(ledger, Stage.IMPLEMENT)
    claimed(ledger, key, Stage.IMPLEMENT)
    for text in ("one", "two", "three"):
        send(ledger, text)
    assert ledger.mail.told(key, 2, "brief")
    assert not ledger.mail.told(key, 1, "session")
    assert ledger.mail.told(key, 3, "session")
    assert not ledger.mail.told(key, 3, "session")
    assert data_of(ledger, EventKind.MESSAGE_DELIVERED) == [
        {"number": 1, "how": "brief"},
        {"number": 2, "how": "brief"},
        {"number": 3, "how": "session"},
    ]


def test_a_stale_attempt_is_told_nothing(ledger: Ledger) -> None:
    planned(ledger)
    old = failed(ledger, TaskState.RETRYABLE)
    key = at_stage(ledger, Stage.IMPLEMENT)
    claimed(ledger, key, Stage.IMPLEMENT)
    send(ledger, "one")
    before = snapshot(ledger)
    assert not ledger.mail.told(old, 1, "session")
    assert snapshot(ledger) == before
    assert ledger.mail.told(key, 1, "session")


def test_who_is_not_there_cannot_be_written_to(ledger: Ledger) -> None:
    planned(ledger)
    with pytest.raises(UnknownTask):
        send(ledger, "hello", task="ghost")
    with pytest.raises(UnknownRun):
        ledger.mail.send("ghost", "t1", letter("ana", Topic.PERSON, "x"), id="x")


def test_a_run_that_is_forgotten_takes_its_mailboxes_with_it(ledger: Ledger) -> None:
    planned(ledger)
    send(ledger, "one")
    completed(ledger)
    assert ledger.runs.finish("r1", RunState.DONE, "every task has ended")
    assert ledger.runs.forget("r1", ended_before=ledger.now() + 1)
    assert ledger.mail.after("r1", "t1", 0) == []
    planned(ledger)
    assert send(ledger, "one") == ("sent", 1), "its ids are gone, too"
