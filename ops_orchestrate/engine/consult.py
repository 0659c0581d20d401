"""Ask an agent something while a stage is held, and stay with it until it has answered or ended otherwise."""

from __future__ import annotations

from ops_orchestrate.core.agent import AgentResult
from ops_orchestrate.core.consult import Question
from ops_orchestrate.engine.lease import Lease
from ops_orchestrate.ports import AgentSession
from ops_orchestrate.ports.consult import Consultant

#: How long one wait for its events lasts: flags and lease are looked at in between.
_LOOK = 0.2


def consult(consultant: Consultant, question: Question, lease: Lease) -> AgentResult | None:
    """How it ended, with its answer; None when the claim was lost or a stop was asked for meanwhile.

    Raises SandboxUnavailable, AgentUnavailable, UsageError.
    """
    with consultant.ask(question) as session:
        result = _stay(session, lease)
    return None if lease.lost.is_set() or lease.stop else result


def _stay(session: AgentSession, lease: Lease) -> AgentResult:
    beaten = 0
    while (result := session.result()) is None:
        session.events(_LOOK)
        if lease.halt.is_set():
            session.stop("kill")  # it makes nothing that could be kept
            continue
        if lease.renewals > beaten:
            beaten = lease.renewals
            session.beat(lease.renewed_at)
    return result
