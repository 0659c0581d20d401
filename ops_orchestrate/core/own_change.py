"""Changes that a run makes without a task: a promotion, what of main comes back after it, what takes a merge back.

Each goes through the merge gate like every change of ours, from a branch that is pinned to one commit.
"""

from __future__ import annotations

from enum import StrEnum

from ops_orchestrate.core.change import GateEnd
from ops_orchestrate.core.names import OUR_BRANCHES, short
from ops_orchestrate.core.value import Value


class OwnKind(StrEnum):
    """What it is for: the first word of its name."""

    PROMOTE = "promote"  #: integration to main
    BACK = "back"  #: what main has and integration lacks, to integration
    REVERT = "revert"  #: takes a merge back that did not do well once it was deployed


#: What people call it.
NOUNS = {OwnKind.PROMOTE: "promotion", OwnKind.BACK: "back-merge", OwnKind.REVERT: "revert"}
_BRANCHES = {OwnKind.PROMOTE: "sync", OwnKind.BACK: "back", OwnKind.REVERT: "revert"}
#: How the branches begin that no task made.
OWN_BRANCHES = tuple(f"{OUR_BRANCHES}{word}/" for word in _BRANCHES.values())


class OwnChange(Value):
    """One of them, in one repository."""

    kind: OwnKind
    repo: str
    """The repository's key, or its name where a person says it."""

    @property
    def name(self) -> str:
        """As a person answers it."""
        return f"{self.kind}:{self.repo}"

    @property
    def key(self) -> str:
        """Where the ledger keeps it: of a promotion, with the repository."""
        return self.repo if self.kind is OwnKind.PROMOTE else self.name

    @property
    def noun(self) -> str:
        """What people call it."""
        return NOUNS[self.kind]


def own_change(text: str) -> OwnChange | None:
    """The change of this name, or under this key of the ledger's; None for what has no such first word: a task."""
    word, colon, repo = text.partition(":")
    if colon and repo and word in set(OwnKind):
        return OwnChange(kind=OwnKind(word), repo=repo)
    return None


def own_key(key: str) -> OwnChange:
    """What the ledger keeps under that key."""
    return own_change(key) or OwnChange(kind=OwnKind.PROMOTE, repo=key)


def own_branch(kind: OwnKind, commit: str) -> str:
    """The branch of it: it is made for one commit, and never holds anything else."""
    return f"{OUR_BRANCHES}{_BRANCHES[kind]}/{commit[:12]}"


class OwnStep(StrEnum):
    """What is done about a back-merge or a revert."""

    REFUSE = "refuse"  #: there is nothing to open
    OPEN = "open"  #: its pull request is opened, and left to a person
    PURSUE = "pursue"  #: through the merge gate


class OwnSnapshot(Value):
    """What decides whether a back-merge or a revert may be opened, and gone on with."""

    kind: OwnKind
    base: str
    base_head: str
    commit: str
    """The merge that is taken back, or main's commit that is brought back."""
    head: str
    """The commit to be merged; empty where none can be made."""
    opened: bool = False
    """Its pull request is open already."""
    gate: GateEnd | None = None
    """The gate's end on what its merge would make; None where it has not been run."""
    conflicts: tuple[str, ...] = ()


class OwnDecision(Value):
    """The step and its reason, in one sentence."""

    step: OwnStep
    reason: str = ""


def decide_own(seen: OwnSnapshot) -> OwnDecision:
    """First match wins. What the merge gate does not know is asked here: is it still wanted, and what says our gate?"""
    if not seen.base_head:
        return OwnDecision(step=OwnStep.REFUSE, reason=f"{seen.base} is no longer there")
    if not seen.head:
        return OwnDecision(step=OwnStep.REFUSE, reason=f"{short(seen.commit)} has no commit before it to go back to")
    if seen.kind is OwnKind.REVERT and not seen.opened and seen.base_head != seen.commit:
        return OwnDecision(step=OwnStep.REFUSE, reason=f"something else has been merged into {seen.base} since")
    if seen.conflicts:
        files = ", ".join(seen.conflicts[:5])
        return OwnDecision(step=OwnStep.OPEN, reason=f"it conflicts with {seen.base} in {files}")
    if seen.gate not in (None, GateEnd.PASSED):
        return OwnDecision(step=OwnStep.OPEN, reason=f"the gate says {seen.gate} on what it would make of {seen.base}")
    return OwnDecision(step=OwnStep.PURSUE)


def needs_no_answer(kind: OwnKind, *, force: bool, spared: bool, undoes: bool) -> bool:
    """Whether `--force` speaks for it. `spared`: it is for main, which the run is to leave alone (`--no-main`).

    `undoes`: it would take back on integration what was taken back on main. That may be wanted, or to be mended there
    instead: it is a person's to say.
    """
    return force and not spared and not (kind is OwnKind.BACK and undoes)
