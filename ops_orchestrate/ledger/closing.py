"""What the end of a stage writes down beside its outcome, in the same step."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ops_orchestrate.core.attempt import Outcome
from ops_orchestrate.core.change import MergeIntent
from ops_orchestrate.core.states import Stage


class Closing(NamedTuple):
    """What goes with the end of a stage. Where the claim was lost nothing of it is written."""

    told: Sequence[Mapping[str, Any]] = ()
    """The data of its evidence: an event each, before that of the end."""
    learned: float | None = None
    """How many seconds the attempt has taken, where that says how long one takes in its repository."""
    proof: MergeIntent | None = None
    """The merge that its base shows."""
    unlock: str = ""
    """The lock that the stage's holder gives back."""

    def args(self) -> list[str]:
        """For the script, whose last arguments these are."""
        proof = self.proof
        proved = [proof.model_dump_json(), proof.commit, json.dumps(told_of(proof))] if proof else ["", "", ""]
        learned = "" if self.learned is None else repr(self.learned)
        return [learned, self.unlock, *proved, *map(json.dumps, self.told)]


#: An end that says nothing more.
NOTHING = Closing()


def told_of(intent: MergeIntent) -> dict[str, Any]:
    """What the events of a merge say of it."""
    data = intent.model_dump(mode="json", include={"commit", "branch", "base", "head", "tree", "method"})
    data |= {"change": f"#{intent.change}"} if intent.change else {}
    return data | ({"by": intent.by} if intent.by else {})


def told_at_the_end(stage: Stage, outcome: Outcome) -> str:
    """What the event of a stage's end says of the outcome: a JSON object without its braces."""
    if stage is Stage.IMPLEMENT:
        include = {"summary", "head", "cost_usd", "tokens", "unsandboxed", "agent_version"}
        first: dict[str, Any] = {"outcome": outcome.kind.value}
    else:
        include = {"rule", "summary", "head", "base", "tree", "ask", "command", "unsandboxed", "review"}
        first = {"kind": outcome.kind.value}
    return json.dumps(first | outcome.model_dump(mode="json", include=include))[1:-1]
