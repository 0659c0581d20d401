"""Everything that one decision about one pull request looks at, frozen, and what a decision is."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from ops_orchestrate.core.merge.failure import FailureClass
from ops_orchestrate.core.merge.pull import BranchRules, Check, Pull
from ops_orchestrate.core.value import Value


class MergePolicy(Value):
    """What the owner wants: from the registry entry and the settings."""

    integration: str
    """The base that this change has to be for."""
    ci: Literal["none", "expected"] | None = None
    """`none`: the owner says that there is no CI and the gate is enough to merge into integration."""
    has_workflows: bool = True
    """The repository holds workflow files, so that a change without any check is suspicious."""
    expected_checks: tuple[str, ...] = ()
    skippable_checks: tuple[str, ...] = ()
    merge_authors: tuple[str, ...] = ()
    """Logins whose changes may be merged; empty: everybody's."""
    unprotected_ok: bool = False
    """The owner has accepted that nothing on the forge's side stands in front of this base."""
    method: Literal["squash", "merge"] = "squash"
    grace: float = 120.0
    """Seconds in which no check at all is no news."""
    min_ci: float = 0.0
    """Seconds that CI takes at the least: a success that is faster proves nothing."""
    settle: float = 60.0
    """Seconds without a new check before a complete set counts as complete."""
    patience: float = 3 * 3600.0
    """Seconds that a check may stay pending or missing before a person is asked."""
    poll: float = 30.0
    """Usual seconds between two looks."""
    reconcile: float = 120.0
    """Seconds in which a merge call without an answer may still turn up on the base."""
    max_reruns: int = 1
    """Reruns of one workflow run, by whomever."""
    max_fixes: int = 2
    promotes: bool = False
    """The base is main and this is the pinned sync of the integration branch."""


class MergeSnapshot(Value):
    """The facts. Times are seconds since 1970 by the ledger's clock."""

    now: float
    pull: Pull
    rules: BranchRules
    policy: MergePolicy
    verified_head: str = ""
    verified_base: str = ""
    verified_tree: str = ""
    base: str = ""
    """The base's head now, by git; empty where it cannot be seen."""
    checks_base: str = ""
    """What the checks ran with: the base's head when we published this head, or, of a head that somebody else pushed,
    the newest commit of the base that it contains. Empty: `verified_base`."""
    base_checks: tuple[Check, ...] = ()
    """Checks on the base's head."""
    fixes_base: bool = False
    """This change is the one that turns a red base green."""
    approved: str = ""
    """The head that a person approved."""
    force: bool = False
    dry_run: bool = False
    stopping: bool = False
    held: str = ""
    """Why nothing is merged into this base for now (a kill switch, a blocker issue); looked at again later."""
    may_write: str = ""
    """Why the forge does not let us write; empty where it does. Only a person can change it."""
    intended_at: float = 0.0
    """When a merge was announced that is neither proved nor taken back; 0: none is."""
    landed: bool = False
    """Git shows the merge that was announced on the base: a commit with our trailer for this head."""
    landed_elsewhere: str = ""
    """The branch that shows such a commit instead: the change was pointed there between our look and the merge."""
    new_check_at: float = 0.0
    """When a check that had not been there before was last seen on this head, by us; 0: never looked."""
    usual_checks: tuple[str, ...] = ()
    """Checks that were green on most of the heads merged lately, and so are waited for here as well."""
    ci_seconds: float = 0.0
    """How long the checks took on heads merged lately; 0: nobody knows."""
    failures: dict[int, FailureClass] = Field(default_factory=dict)
    """Check id to the kind of its failure, as far as it was looked into."""
    reruns: tuple[int, ...] = ()
    """Workflow runs whose rerun we asked for on this head, each as often as we did."""
    queued: int = 0
    """How often this head was put into the base's merge queue."""
    fixes: int = 0
    """Attempts that were spent on mending what the forge refused of this task."""
    fixed_at: float = 0.0
    """What people said before this, by the forge's clock, an attempt was given and has dealt with. 0: nothing."""
    closed_threads: tuple[str, ...] = ()
    """Threads that we answered and resolved before: one of them that is open was opened again by a person."""
    waited: str = ""
    """The row of the wait that was decided last."""
    waits: int = 0
    """How often that one was decided in a row: some waits must not last for ever."""


class Act(StrEnum):
    """What to do now. Exactly one a decision."""

    WAIT = "wait"  #: nothing can be said now: look again
    RECONCILE = "reconcile"  #: it is merged, or a merge of ours has no known end: prove it
    REVERIFY = "reverify"  #: head or base is not what was verified
    LOOK = "look"  #: a red check has not been looked into: read its jobs, then decide again
    RERUN = "rerun"  #: not the change's fault: run the failed jobs once more
    FIX = "fix"  #: work for another attempt on the same change
    ANSWER = "answer"  #: review threads that an attempt has dealt with are answered and resolved
    UPDATE = "update"  #: bring the base into the change, by a merge commit of ours
    ENQUEUE = "enqueue"  #: into the base's merge queue
    ASK = "ask"  #: a person confirms it, for this very head
    MERGE = "merge"
    FLAG = "flag"  #: a person has to look; nothing else moves it on
    BLOCK = "block"  #: nothing may merge it as it is


class Decision(Value):
    """The one decision, and the row of the table that made it."""

    act: Act
    row: str
    """The row's name, for events, reports and tests."""
    reason: str
    """One sentence for people."""
    after: float = 0.0
    """With WAIT: look again after so many seconds; 0: the usual time."""
    person: bool = False
    """With WAIT: somebody has to act on the forge, so nothing is gained by looking again soon."""
    checks: tuple[int, ...] = ()
    """Ids of the checks it is about: to look into, to rerun (one for each workflow run), to fix."""
    threads: tuple[str, ...] = ()
    """Ids of the review threads it is about: to fix, to answer."""
