"""What waits for a red base is verified again, also where its verdict and the merge that mends the base cross."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ops_orchestrate.core.attempt import OutcomeKind, StageKey
from ops_orchestrate.core.states import RunState, Stage, TaskState
from tests.engine.hand import Hand, Message
from tests.engine.rig import requested, standing

pytestmark = [pytest.mark.real]


@pytest.fixture
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    """`mend` is merged onto the base `red`, and `other` was judged against it."""
    with standing(tmp_path_factory.mktemp("red")) as rig:
        hand = Hand(rig)
        hand.script = {"other": [(Stage.VERIFY, OutcomeKind.WAITING)]}
        hand.details = {
            ("other", Stage.VERIFY): {"ask": "base", "base": "red"},
            ("mend", Stage.LAND): {"base": "red", "merge": "green"},
        }
        yield hand


def play_but(hand: Hand, *held: str) -> list[Message]:
    """Run everything but the settlements of these tasks, which are left in the mail; these."""
    hand.collect()
    while mail := [
        message for message in hand.mail if not (message.job == "planner.settle" and task_of(message) in held)
    ]:
        hand.mail.remove(mail[0])
        hand.play(mail[0])
    return hand.mail


def task_of(message: Message) -> str:
    return StageKey.model_validate(message.args[0]).task


def again(hand: Hand) -> list[StageKey]:
    """Verifications that were published after the first one of their attempt."""
    keys = [StageKey.model_validate(message.args[0]) for message in hand.of("audit.verify")]
    return [key for key in keys if key.seq]


@pytest.mark.parametrize("last", ["mend", "other"])
def test_whichever_is_settled_last_publishes_the_verification(hand: Hand, last: str) -> None:
    run = hand.begin([requested(task, paths=(f"src/{task}/",)) for task in ("mend", "other")])
    first, second = sorted(play_but(hand, "mend", "other"), key=lambda message: task_of(message) == last)
    hand.play(first)
    assert again(hand) == []
    hand.play(second)
    assert [(key.task, key.attempt, key.seq) for key in again(hand)] == [("other", 1, 1)]
    assert hand.rig.task(run, "other").state is TaskState.VERIFYING
    assert hand.rig.ledger.runs.get(run).state is RunState.RUNNING


def test_what_is_as_red_as_the_newest_base_is_left_to_a_person(hand: Hand) -> None:
    hand.details["other", Stage.VERIFY]["base"] = "green"
    run = hand.begin([requested(task, paths=(f"src/{task}/",)) for task in ("mend", "other")])
    (settlement,) = play_but(hand, "other")
    hand.play(settlement)
    assert again(hand) == []
    assert hand.rig.task(run, "other").state is TaskState.BLOCKED
