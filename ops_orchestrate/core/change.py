"""What git and the gates tell the rules: diffs, previews, gate results, merge intents and their ends."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from ops_orchestrate.core.mark import Print, Share
from ops_orchestrate.core.value import Value


class WorkState(Value):
    """A user's checkout as `git status` shows it."""

    path: str
    branch: str | None = None
    """None when detached."""
    head: str | None = None
    """None when unborn."""
    uncommitted: int = 0
    unpushed: int = 0
    stash: int = 0
    ongoing: str = ""
    """`rebase`, `merge`, … when one is in progress."""
    notes: tuple[str, ...] = ()
    """Oddities worth a line: shallow, bare, sparse, submodules, a stale index.lock."""


class FileChange(Value):
    """One entry of a raw diff."""

    path: str
    old_path: str | None = None
    status: str
    """A, M, D, R, C, T as git has them."""
    old_mode: str
    new_mode: str
    binary: bool = False
    added: tuple[str, ...] = ()
    """Added lines of a text file, capped."""
    removed: tuple[str, ...] = ()
    """Removed lines of a text file, capped."""


class Diff(Value):
    """A change: entries from the merge base to the head."""

    base: str
    head: str
    merge_base: str
    files: tuple[FileChange, ...]
    truncated: bool = False
    """Too large to be read whole: no rule may pass it."""


class Preview(Value):
    """The merge of a head into a base, made without a working tree."""

    base: str
    head: str
    tree: str = ""
    commit: str = ""
    """A throw-away commit of that tree, for a checkout."""
    conflicts: tuple[str, ...] = ()
    empty: bool = False
    """The merge changes nothing: the base has it already."""


class Collected(Value):
    """What came back from an agent's tree."""

    head: str | None
    """The commit to be judged, in the mirror; None if there is nothing."""
    committed: int = 0
    """Commits the agent made itself."""
    swept: tuple[str, ...] = ()
    """Files it left uncommitted inside its paths: committed by the orchestrator in one more commit."""
    left_behind: tuple[str, ...] = ()
    """Uncommitted files outside its paths: kept in the salvage ref, not delivered."""
    salvage: str = ""
    problem: str = ""
    """Why the import was refused (fsck, a foreign branch, a history that does not grow from the base)."""


class GateEnd(StrEnum):
    """How a gate ended."""

    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed-out"
    NO_TESTS = "no-tests"  #: it passed and says itself that it ran nothing
    UNAVAILABLE = "unavailable"  #: it could not be run at all (no sandbox, command not found)
    NO_GATE = "no-gate"


class GateResult(Value):
    """What a gate said, and how that is known."""

    end: GateEnd
    exit_code: int | None = None
    seconds: float = 0.0
    log_tail: str = ""
    log_path: str = ""
    unsandboxed: bool = False
    unlisted: tuple[str, ...] = ()
    """Hosts that it asked for and that the repository's `gate_hosts` do not name."""


class Reach(StrEnum):
    """How far a question to a deployed service came."""

    ANSWERED = "answered"
    DOWN = "down"  #: nobody listens, the connection broke off, or it answers that it failed (5xx)
    SILENT = "silent"  #: no connection came about: it is gone, or our own network is
    UNASKED = "unasked"  #: our side: no such name, no network, no proxy; it says nothing of the service


class HealthLook(Value):
    """What a service's health URL said."""

    ok: bool
    detail: str
    reach: Reach = Reach.ANSWERED


class ServedLook(Value):
    """What a service says it runs."""

    commit: str
    """Empty where it did not say."""
    detail: str
    reach: Reach = Reach.ANSWERED


class OwnBranch(Value):
    """A trace of our own earlier work in a repository."""

    run: str
    task: str
    attempt: int
    ref: str
    head: str
    fence: int = 0
    """0: nothing says it."""
    merged: str = ""
    """The commit on the base that carries its trailers, where it was merged."""
    prints: tuple[Print, ...] = ()
    """With `merged`: the findings that the merge covers."""
    share: Share | None = None


class MergeIntent(Value):
    """Written to the ledger before the base is touched; says everything needed to repeat or to reconcile it."""

    repo: str
    branch: str
    base: str
    """The head of the base that was seen: the compare of the compare-and-set."""
    head: str
    tree: str
    commit: str
    """The prepared commit: its SHA is known before anything is pushed. Empty where the forge makes it."""
    change: int = 0
    """The pull request that the forge merges; 0 where we push the commit ourselves."""
    by: str = ""
    """Who merged it, where it was not us."""
    method: Literal["squash", "merge", "forward"] = "squash"
    """`squash` and `merge`: the base is the commit's first parent. `forward`: the branch only catches up to it."""


class LandingEnd(StrEnum):
    """How an attempt to land ended."""

    LANDED = "landed"
    MOVED = "moved"  #: the base is no longer what was seen
    REFUSED = "refused"  #: the forge said no; a person has to act
    UNKNOWN = "unknown"  #: no answer: look before doing anything again


class Landing(Value):
    """What came of one push to the base."""

    end: LandingEnd
    detail: str = ""
    command: str = ""
    """The command that would resolve a refusal."""
    commit: str = ""
    """With LANDED: the commit that the forge made of it, where the forge makes it."""
