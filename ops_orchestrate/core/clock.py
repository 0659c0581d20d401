"""Clocks of machines against the server's, which is the only one that leases and runs go by.

A machine whose clock is wrong works, but says so: its commits and logs are dated wrong, and beyond a bound tokens of a
forge and certificates are refused and quotas are waited for at the wrong time, so that nothing is given to it.
"""

from __future__ import annotations

from collections.abc import Iterable

#: Below this, in seconds, nobody has to hear of it.
WORTH_SAYING = 5.0


def skew_of(looks: Iterable[tuple[float, float, float]]) -> float:
    """How many seconds a machine's clock is ahead of the server's; negative: behind.

    Each look is the machine's clock before the question, the server's answer, the machine's clock after it. The look
    that took the shortest counts, and what its way there and back may account for does not.
    """
    before, server, after = min(looks, key=lambda look: look[2] - look[0])
    if before <= server <= after:
        return 0.0
    return before - server if before > server else after - server


def said(skew: float) -> str:
    """The difference in words; empty where it is not worth any."""
    if abs(skew) < WORTH_SAYING:
        return ""
    return f"its clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the server's"


def why_refused(skew: float, most: float) -> str:
    """Why a machine takes no jobs; empty where it may."""
    if abs(skew) <= most:
        return ""
    where = "ahead of" if skew > 0 else "behind"
    return (
        f"The clock of this machine is {abs(skew):.0f} s {where} the server's, and at most {most:g} s are taken "
        "(OPS_CLOCK_SKEW). Set both by NTP."
    )
