"""The Protocols that the steps reach the world through. Adapters implement them, `wiring` chooses.

Only values of `core` pass here; no adapter's own type and no library's exception does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, Protocol

from ops_orchestrate.core.agent import AgentEvent, AgentJob, AgentProbe, AgentResult, AgentVitals
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.change import (
    Collected,
    Diff,
    GateResult,
    HealthLook,
    Landing,
    MergeIntent,
    OwnBranch,
    Preview,
    ServedLook,
    WorkState,
)
from ops_orchestrate.core.finding import AuditPart
from ops_orchestrate.core.merge.failure import FailedJob
from ops_orchestrate.core.merge.pull import BranchRules, Check, Pull
from ops_orchestrate.core.project import Project, Repository
from ops_orchestrate.core.recheck import Rechecked
from ops_orchestrate.core.refusal import SecretFinding
from ops_orchestrate.core.run import RunRequest


class AgentSession(Protocol):
    """One running agent, under a supervisor that outlives the worker only long enough to stop it."""

    def events(self, timeout: float) -> Sequence[AgentEvent]:
        """What happened since the last call; waits up to `timeout` seconds for something."""

    def message(self, text: str) -> bool | None:
        """Say something to the running agent; False where it is ending, None where its kind can be told nothing."""

    def release(self) -> None:
        """What its job said that it waits for is there, or will never be: it may end after its turn."""

    def beat(self, at: float | None = None) -> None:
        """The lease was renewed, then by CLOCK_BOOTTIME (None: now): it may live for two thirds of another one."""

    def stop(self, how: Literal["interrupt", "kill"]) -> None:
        """Ask the agent to end (interrupt, then TERM, then KILL after the grace), or kill all of it at once."""

    def vitals(self) -> AgentVitals:
        """What its processes and files look like from outside; costs a walk over both."""

    def result(self) -> AgentResult | None:
        """How it ended; None while it runs. Once ended, no process of it is left."""


class Agent(Protocol):
    """A kind of coding agent."""

    name: str

    def probe(self) -> AgentProbe:
        """Whether it can work on this host, and its version."""

    def start(self, job: AgentJob) -> AgentSession:
        """Start it in its tree, inside the sandbox. Raises SandboxUnavailable, AgentUnavailable, UsageError."""


class Workshop(Protocol):
    """Git, through one hardened door: mirrors that we own, trees that agents get, what comes back from them."""

    def look(self, repo: Repository) -> WorkState:
        """The user's checkout as it stands: read only, bounded in time. Raises GitError."""

    def refresh(self, repo: Repository) -> None:
        """Bring the mirror up to date with its upstream. Raises SourceUnavailable."""

    def integration(self, repo: Repository) -> str:
        """The integration branch: the owner's, else `dev`, else the upstream's default. Raises GitError."""

    def main(self, repo: Repository) -> str | None:
        """The branch that integration is promoted to; None where there is none or it is the same."""

    def head(self, repo: Repository, branch: str) -> str | None:
        """The mirror's newest knowledge of an upstream branch."""

    def prepare(self, repo: Repository, key: StageKey, base: str) -> AgentTree:
        """A private clone at `base`, on the attempt's own branch, borrowing objects read-only from the mirror."""

    def hold_tree(self, repo: Repository, key: StageKey) -> AbstractContextManager[bool]:
        """Keep all others on this host from the attempt's tree; False where one has it. Who dies gives it back."""

    def collect(self, repo: Repository, key: StageKey, *, base: str, paths: tuple[str, ...]) -> Collected:
        """Import what the agent committed (checked by fsck) and, as one more commit, what it left uncommitted."""

    def salvage(self, repo: Repository, key: StageKey, *, base: str = "") -> str | None:
        """Keep all that its tree has beyond `base` (else what it was made from) under a ref of ours; None: nothing."""

    def discard_tree(self, repo: Repository, key: StageKey) -> None:
        """Remove the attempt's tree. Only after collect or salvage."""

    def diff(self, repo: Repository, base: str, head: str) -> Diff:
        """What `head` changes since its merge base with `base`, raw, with added lines of text files."""

    def patch(self, repo: Repository, base: str, head: str, limit: int) -> str | None:
        """The same as one patch to read, with some lines around it; None where it has more than `limit` bytes."""

    def preview(self, repo: Repository, base: str, head: str) -> Preview:
        """The merge of `head` into `base` as a tree, or the files that conflict."""

    def checkout(self, repo: Repository, commit: str) -> AbstractContextManager[Path]:
        """A fresh worktree of the mirror at `commit`, gone afterwards."""

    def commit_tree(self, repo: Repository, *, tree: str, parents: tuple[str, ...], message: str, at: float) -> str:
        """Write a commit with a fixed date, so that the same merge has the same SHA on every try."""

    def is_ancestor(self, repo: Repository, older: str, newer: str) -> bool:
        """Whether `newer` contains `older`."""

    def tree_of(self, repo: Repository, commit: str) -> str:
        """The tree of a commit."""

    def parents_of(self, repo: Repository, commit: str) -> tuple[str, ...]:
        """The parents of a commit, the first one first."""

    def find_commit(self, repo: Repository, branch: str, *, since: str, trailer: str) -> str | None:
        """The newest commit of an upstream branch after `since` (empty: from the start) with that trailer line."""

    def own_branches(self, repo: Repository) -> Sequence[OwnBranch]:
        """Branches and merged trailers of our own earlier runs, as upstream and mirror have them."""

    def read_file(self, repo: Repository, commit: str, path: str, limit: int = 1_000_000) -> str | None:
        """A text file of a commit; None where there is none. Never follows links."""

    def list_files(self, repo: Repository, commit: str, folder: str, limit: int = 5_000) -> Sequence[str]:
        """Paths of the files below a folder of a commit, at most `limit`; none where there is no such folder."""

    def tidy(self, repo: Repository, *, before: float) -> int:
        """Remove refs of ours whose work is merged and that are older (seconds since 1970); how many."""

    def drop_mirrors(self, known: set[str], *, before: float) -> list[str]:
        """Remove mirrors of repositories that are not known (by key) and were not written to since; their keys.

        None with work of ours that upstream does not have, and none that somebody works with.
        """

    def leftover_trees(self) -> Iterator[tuple[str, StageKey]]:
        """(repository key, attempt) of every agent tree on this host."""


class AgentTree(Protocol):
    """Where an agent works."""

    path: str
    scratch: str
    branch: str
    base: str
    objects: tuple[str, ...]
    """Folders of objects it borrows, to be readable inside the sandbox and never writable."""


class Gates(Protocol):
    """The project's own quality command, in the sandbox."""

    def run(self, repo: Repository, tree: Path, *, network: bool = False, stop: object | None = None) -> GateResult:
        """Run the gate in a clean checkout, bounded in time, without credentials; the log is captured."""


class SecretScan(Protocol):
    """Finds secrets in text, and takes them out of it. Values are never returned, logged or stored."""

    def scan(self, diff: Diff) -> Sequence[SecretFinding]:
        """Where the added lines of a diff hold something that looks like a secret."""

    def redact(self, text: str) -> str:
        """`text` without known secret values and without what looks like one."""


class Forge(Protocol):
    """Where changes live and where they are merged."""

    name: str

    def may_ship(self, repo: Repository) -> str | None:
        """None if this forge can ship the repository now, else why not, in one sentence."""

    def land(self, repo: Repository, intent: MergeIntent) -> Landing:
        """Move the base from the head that was seen to the prepared commit, or say why not. Never retried blindly."""

    def proved(self, repo: Repository, intent: MergeIntent) -> bool:
        """Whether the base has the prepared commit, with the tree that was verified."""


class PullRequests(Protocol):
    """Pull requests of a forge, with the identity that we act as.

    Reads raise SourceUnavailable where the forge did not answer well: that is never "nothing there". Writes answer
    with a Landing: LANDED (done, or found to be done), MOVED (the head or base is not the expected one), REFUSED, or
    UNKNOWN (no answer: look before doing it again). No write is repeated blindly. Where one raises SourceUnavailable,
    it was not asked for: nobody could say whether we may write.
    """

    name: str

    def may_write(self, repo: Repository) -> str | None:
        """None if the forge says now that we may push, else why not: a person's to change. Asked before writes."""

    def publish(self, repo: Repository, *, commit: str, branch: str, expected: str) -> Landing:
        """Push a commit of the mirror to a branch of ours (`ops/…`); `expected`: its head there, "" for none."""

    def remove(self, repo: Repository, *, branch: str, head: str) -> Landing:
        """Delete a branch of ours (`ops/…`), if its head is the expected one: compare-and-set. LANDED: it is gone."""

    def open(self, repo: Repository, *, branch: str, base: str, title: str, body: str) -> int:
        """Open a pull request and return its number; the one that is open for that branch, if there is one."""

    def read(self, repo: Repository, number: int) -> Pull:
        """Everything about one pull request, to the last page, checks by its head's own id."""

    def glance(self, repo: Repository, number: int, max_age: float) -> Pull:
        """The same, but all open ones of the repository are read at once and shared for `max_age` seconds.

        Good enough to go on waiting, without comments of threads and its own text; nothing is ever merged by it."""

    def opened(self, repo: Repository) -> tuple[Pull, ...]:
        """All open pull requests as they are now, as a glance shows them."""

    def close(self, repo: Repository, number: int, *, head: str) -> Landing:
        """Close a pull request of ours without a word, if its head is the expected one. LANDED: it is closed."""

    def describe(self, repo: Repository, number: int, *, was: str, body: str) -> Landing:
        """Give an open pull request of ours another text, if its text is still `was`. LANDED: it has it."""

    def rules(self, repo: Repository, branch: str) -> BranchRules:
        """What the forge demands before anything gets into the branch, some minutes old at most: it enforces them."""

    def checks(self, repo: Repository, commit: str, *, seen: Pull | None = None) -> tuple[Check, ...]:
        """Every check on a commit. `seen`: a pull request read just now, which may have told some of it already."""

    def failed_jobs(self, repo: Repository, check: Check) -> tuple[FailedJob, ...]:
        """The red jobs behind a check, with the ends of their logs."""

    def rerun(self, repo: Repository, check: Check) -> Landing:
        """Run the failed jobs of the check's workflow run once more, if it is still on the attempt that was seen."""

    def merge(
        self, repo: Repository, number: int, *, head: str, method: Literal["squash", "merge"], title: str, message: str
    ) -> Landing:
        """Merge it, if its head is the expected one. With LANDED, `commit` is the merge."""

    def enqueue(self, repo: Repository, number: int, *, head: str) -> Landing:
        """Put it into the base's merge queue, if its head is the expected one."""

    def still(self, repo: Repository, names: Sequence[str]) -> Rechecked:
        """Whether a finding with these names is still there: a failing workflow, an open issue. One request a name."""

    def answer(self, repo: Repository, thread: str, text: str) -> Landing:
        """Answer a review thread and resolve it."""


class Health(Protocol):
    """Looks at deployed services."""

    def look(self, url: str) -> HealthLook:
        """Whether the service is healthy now; never raises."""

    def served(self, url: str) -> ServedLook:
        """Which commit the service says it runs; never raises."""


class Source(Protocol):
    """A place where work is found."""

    name: str

    def findings(self, projects: Sequence[Project], request: RunRequest) -> AuditPart:
        """What it knows about these projects. Raises SourceUnavailable."""


class Secrets(Protocol):
    """The chain environment → Doppler → password manager."""

    def get(self, name: str) -> str | None:
        """The secret's value, or None where nobody has it. Never logged."""

    def tried(self, name: str) -> tuple[str, ...]:
        """Which sources were asked for it, for an error message without the value."""
