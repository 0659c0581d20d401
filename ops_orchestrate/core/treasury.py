"""What `budget` and `status` show of money: one moment of it, over all runs."""

from __future__ import annotations

from pydantic import Field

from ops_orchestrate.core.spend import Caps, Day, Purse
from ops_orchestrate.core.value import Value


class Treasury(Value):
    """Today's purse, the caps, and accounts without quota."""

    day: Day = Day(label="", begins=0.0, ends=0.0)
    zone: str = "UTC"
    purse: Purse = Purse()
    whole: bool = True
    """Whether the ledger has seen the whole day, or the owner has said what came before."""
    caps: Caps = Caps()
    parked: dict[str, float] = Field(default_factory=dict)
    """Accounts, and until when they have no quota."""
