"""Which pool may hold which secret: a worker of another pool neither inherits it nor asks for it.

A worker that is no pool's own (`celery -A ops_orchestrate worker`, which serves every queue) is one trust domain and
may hold all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from ops_orchestrate.core.value import Value

READ_TOKEN = "OPS_GITHUB_READ_TOKEN"  # noqa: S105 - the name by which it is asked for
"""A token of GitHub that can only read: for the pools that never write."""

READERS = frozenset({"audit", "agent"})
"""The pools that look at GitHub and never write there."""

#: The secret's name to the pools whose work needs it. Every other secret (a model's key) is nobody else's business.
HOLDERS: dict[str, frozenset[str]] = {
    "GITHUB_TOKEN": frozenset({"ship"}),
    "GITHUB_APP_KEY": frozenset({"ship"}),
    READ_TOKEN: READERS,
    # Other tools' names of the same token.
    "GH_TOKEN": frozenset(),
    "GH_ENTERPRISE_TOKEN": frozenset(),
    "GITHUB_ENTERPRISE_TOKEN": frozenset(),
    # Read by the audit; written by ship where a merge may close a ticket.
    "SENTRY_AUTH_TOKEN": frozenset({"audit", "ship"}),
    "LINEAR_API_KEY": frozenset({"audit", "ship"}),
    "OPS_NOTIFY": frozenset({"planner"}),
}

#: What the audit asks GitHub with where there is no token that only reads.
_STAND_IN = frozenset({"GITHUB_TOKEN", "GITHUB_APP_KEY"})


class Duty(Value):
    """The secrets that one worker may hold."""

    pool: str = ""
    """Empty: no pool's own worker."""
    read_token: bool = False
    """Whether a token that only reads is there, so that the audit needs no other."""

    def may_hold(self, name: str) -> bool:
        """Whether a secret of that name is for this worker."""
        holders = HOLDERS.get(name)
        if not self.pool or holders is None:
            return True
        stands_in = self.pool == "audit" and name in _STAND_IN and not self.read_token
        return self.pool in holders or stands_in

    def withheld(self) -> tuple[str, ...]:
        """The names that must not be in its environment."""
        return tuple(name for name in HOLDERS if not self.may_hold(name))


def duty_of(pool: str, environment: Mapping[str, str]) -> Duty:
    """The duty of a worker of `pool` that is started in that environment."""
    return Duty(pool=pool, read_token=bool(environment.get(READ_TOKEN)))
