"""From the end of a session to an outcome: git decides what was made, and the agent only whether it asks."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.agent import AgentEnd, AgentReport, AgentResult
from ops_orchestrate.core.attempt import OutcomeKind
from ops_orchestrate.core.change import Collected
from ops_orchestrate.core.ending import Ended, ending

HEAD, NOTHING, BROKEN = Collected(head="a" * 40), Collected(head=None), Collected(head=None, problem="no .git")
DONE = AgentReport(status="done", summary="did it")
ASKS = AgentReport(status="blocked", question="Which one?", summary="half of it")
MUTE = AgentReport(status="blocked", summary="cannot")

TABLE = [
    # how the session ended, its report, why we stopped it, what git has → the outcome
    (AgentEnd.DONE, DONE, "", HEAD, OutcomeKind.SUCCEEDED),
    (AgentEnd.DONE, None, "", HEAD, OutcomeKind.SUCCEEDED),
    (AgentEnd.DONE, DONE, "", NOTHING, OutcomeKind.EMPTY),
    (AgentEnd.DONE, DONE, "", BROKEN, OutcomeKind.FAILED),
    (AgentEnd.DONE, DONE, "stalled", HEAD, OutcomeKind.SUCCEEDED),
    (AgentEnd.DONE, ASKS, "", NOTHING, OutcomeKind.WAITING),
    (AgentEnd.DONE, ASKS, "", HEAD, OutcomeKind.WAITING),
    (AgentEnd.DONE, ASKS, "", BROKEN, OutcomeKind.WAITING),
    (AgentEnd.DONE, MUTE, "", HEAD, OutcomeKind.FAILED),
    (AgentEnd.FAILED, ASKS, "", NOTHING, OutcomeKind.WAITING),
    (AgentEnd.FAILED, MUTE, "", NOTHING, OutcomeKind.FAILED),
    (AgentEnd.FAILED, None, "", HEAD, OutcomeKind.FAILED),
    (AgentEnd.CRASHED, None, "", HEAD, OutcomeKind.CRASHED),
    (AgentEnd.TIMED_OUT, DONE, "", HEAD, OutcomeKind.TIMED_OUT),
    (AgentEnd.UNSTARTED, None, "", NOTHING, OutcomeKind.UNSTARTED),
    (AgentEnd.QUOTA, None, "", HEAD, OutcomeKind.QUOTA),
    (AgentEnd.QUOTA, ASKS, "", NOTHING, OutcomeKind.WAITING),
    (AgentEnd.STOPPED, None, "stalled", HEAD, OutcomeKind.STALLED),
    (AgentEnd.STOPPED, None, "never-started", NOTHING, OutcomeKind.STALLED),
    (AgentEnd.STOPPED, ASKS, "salvage", HEAD, OutcomeKind.INTERRUPTED),
    (AgentEnd.STOPPED, None, "", NOTHING, OutcomeKind.INTERRUPTED),
]


@pytest.mark.parametrize(("end", "report", "stopped", "made", "kind"), TABLE)
def test_how_an_attempt_ends(
    end: AgentEnd, report: AgentReport | None, stopped: str, made: Collected, kind: OutcomeKind
) -> None:
    outcome = ending(Ended(result=AgentResult(end=end, report=report), stopped=stopped), made, base="b" * 40)
    assert outcome.kind is kind
    assert outcome.ask == ("retry" if kind is OutcomeKind.WAITING else "")


def test_a_question_is_shown_to_the_person_who_has_to_answer_it() -> None:
    outcome = ending(Ended(result=AgentResult(end=AgentEnd.DONE, report=ASKS)), NOTHING, base="b" * 40)
    assert outcome.summary == "The agent asks: Which one?"
