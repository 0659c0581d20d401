"""What a step tells the job that ran it: let the chain go on, or end it here."""

from __future__ import annotations

from enum import StrEnum

from ops_orchestrate.ledger.results import Claim


class Next(StrEnum):
    """What becomes of the rest of the chain."""

    GO_ON = "go-on"  #: publish the next job
    DROP = "drop"  #: publish nothing: another delivery has it, the claim was lost, or a wake-up will publish the tail


def passed_on(claim: Claim) -> Next:
    """For a claim that was not granted: a stage that has ended, or an attempt that has failed, lets the chain go on."""
    return Next.GO_ON if claim.kind in ("done", "pass") else Next.DROP
