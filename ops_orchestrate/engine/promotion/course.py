"""One pull request of the run's own, and all that is needed to bring it a step further."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.message import MERGE_KEY
from ops_orchestrate.core.own_change import OwnChange, OwnKind, own_branch
from ops_orchestrate.core.project import Repository
from ops_orchestrate.core.promotion import PromotionState
from ops_orchestrate.core.run import RunRecord
from ops_orchestrate.core.value import Value
from ops_orchestrate.engine.frozen import held
from ops_orchestrate.engine.promotion.book import already_said, evidence, remember, warn
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import GitError
from ops_orchestrate.ports import PullRequests

#: Where it stands after a look, and why.
Step = tuple[PromotionState, str]


class Plan(Value):
    """What is to be merged where, and with which words."""

    own: OwnChange
    commit: str
    """What it is about: the commit that is brought, or taken back. Its branch is called after it."""
    head: str
    """The commit that is published for it."""
    source: str
    """The branch that `commit` is on."""
    base: str
    base_head: str
    method: Literal["squash", "merge"]
    approved: str = ""
    """The head that a person approved."""
    force: bool = False
    """Nobody has to say yes to it."""
    to_main: bool = False
    gated: bool = True
    """Our own gate has passed on what the merge makes."""
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Course:
    """One pull request of the run's own and all that is needed to bring it a step further."""

    run: RunRecord
    repository: Repository
    plan: Plan
    pulls: PullRequests
    tools: Toolbox

    @property
    def own(self) -> OwnChange:
        """Which one it is."""
        return self.plan.own

    @property
    def base(self) -> str:
        """The branch that it is to get into."""
        return self.plan.base

    @property
    def branch(self) -> str:
        """Its own branch."""
        return own_branch(self.own.kind, self.plan.commit)

    def trailer(self, head: str) -> str:
        """The line of a commit on the base that says that it is the merge of this head."""
        return f"{MERGE_KEY}: {self.base}/{head}"

    def note(self, text: str) -> None:
        """Something that was looked at or done, for the report."""
        evidence(self.run.id, self.repository, self.own.noun, text, self.tools)

    def warn(self, text: str) -> None:
        """Something a person should know."""
        warn(self.run.id, self.repository, text, self.tools)

    def say(self, kind: EventKind, head: str, **data: str) -> None:
        """Write the event of its end once for this head, however often a worker dies right behind it."""
        if already_said(self.run.id, kind, self.repository.key, head, self.tools):
            return
        named = {"repo": self.repository.key, "name": self.repository.name, "to": self.base, "head": head}
        self.tools.ledger.runs.note(self.run.id, kind, host=self.tools.host, data={**named, **data})

    def contains(self, head: str, commit: str) -> bool:
        """Whether `head` has the commit. One that the mirror does not have is in nothing yet."""
        try:
            return self.tools.workshop.is_ancestor(self.repository, commit, head)
        except GitError:
            return False

    def held(self) -> str:
        """Why nothing may be merged there for now: what is brought from a closed branch waits as well."""
        branches = dict.fromkeys((self.plan.source, self.base))
        return next((why for one in branches if (why := held(self.repository, one, self.tools))), "")

    def keep(self, pursuit: Pursuit | None) -> None:
        """Remember where it stands."""
        remember(self.run.id, self.own.key, self.tools, pursuit=pursuit)

    @property
    def is_revert(self) -> bool:
        """It takes back the base's own head: a base that is red for that is no reason to wait."""
        return self.own.kind is OwnKind.REVERT
