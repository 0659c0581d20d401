"""One promotion through a pull request, and all that is needed to bring it a step further."""

from __future__ import annotations

from dataclasses import dataclass

from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.promotion import PromotionSnapshot, PromotionState
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.engine.frozen import held
from ops_orchestrate.engine.promotion.book import evidence, remember, warn
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.ports import PullRequests

#: Where it stands after a look, and why.
Step = tuple[PromotionState, str]


@dataclass(frozen=True, slots=True)
class Sync:
    """One promotion and all that is needed to bring it a step further."""

    run: RunRecord
    repository: Repository
    seen: PromotionSnapshot
    pulls: PullRequests
    tools: Toolbox

    @property
    def main(self) -> str:
        """The branch promoted to; there is one, or nothing would be promoted."""
        return self.seen.main or ""

    def note(self, what: str, text: str) -> None:
        """Something that was looked at or done, for the report."""
        evidence(self.run.id, self.repository, what, text, self.tools)

    def warn(self, text: str) -> None:
        """Something a person should know."""
        warn(self.run.id, self.repository, text, self.tools)

    def contains(self, head: str, commit: str) -> bool:
        """Whether `head` has the commit."""
        return self.tools.workshop.is_ancestor(self.repository, commit, head)

    def held(self) -> str:
        """Why nothing may be promoted for now."""
        branches = (self.seen.integration, self.main)
        return next((why for one in branches if (why := held(self.repository, one, self.tools))), "")

    def keep(self, pursuit: Pursuit | None) -> None:
        """Remember where it stands."""
        remember(self.run.id, self.repository.key, self.tools, pursuit=pursuit)
