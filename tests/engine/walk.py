"""A run against the GitHub stand-in, walked through in one process: every step is the real one, each when we say so.

No worker and no clock stand between two steps, so that what happens in between can be placed exactly: somebody pushes,
the forge fails, a worker dies between two lines. What real workers do is tried in `test_pull_requests.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import Ignore

from ops_orchestrate.adapters.github.pulls import GitHubPullRequests
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.event import Event, EventKind
from ops_orchestrate.core.promotion import PromotionState
from ops_orchestrate.core.states import RUN_OPEN
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.engine import audit, finish
from ops_orchestrate.engine.landing.step import land
from ops_orchestrate.engine.promotion.check import check_head
from ops_orchestrate.engine.promotion.own import pursue_own
from ops_orchestrate.engine.promotion.step import promote
from ops_orchestrate.engine.promotion.watch import watch_once
from ops_orchestrate.engine.step import Next
from ops_orchestrate.engine.verify import verify
from ops_orchestrate.engine.work import implement
from ops_orchestrate.standin.control_work import Control
from tests.engine.forge_rig import ForgeRig, forge_standing
from tests.engine.hand import Hand, _plain
from tests.engine.rig import requested

#: Until a wait was in vain; longer costs nothing where all is well.
SECONDS = 100.0

#: Settings of a walk: what is waited for comes at once.
QUICK = {"OPS_LEASE": "2", "OPS_HEARTBEAT": "0.5", "OPS_CI_POLL": "0.1", "OPS_MERGE_UNKNOWN": "0.5"}


class Died(BaseException):
    """A worker is killed here: nothing catches it, nothing is tidied up."""


class Walk(Hand):
    """All workers in one: what is published is run in its order, until nothing is left."""

    def __init__(self, forge: ForgeRig) -> None:
        super().__init__(forge.rig)
        self.forge = forge
        self._holders = 0
        real: dict[str, Callable[..., Any]] = {
            "audit.project": lambda run, part: audit.audit_part(run, part, f"walk:{part}", self.tools),
            "agent.implement": lambda key: self._step(implement, key),
            "audit.verify": lambda key: self._step(verify, key),
            "ship.land": lambda key: self._step(land, key),
            "planner.finish": lambda run: finish.finish(run, self.tools),
            "audit.check_head": lambda run, repo: check_head(run, repo, self.tools),
            "ship.promote": lambda run, repo: promote(run, repo, self._holder(), self.tools),
            "ship.pursue": lambda run, key: pursue_own(run, key, self._holder(), self.tools),
            "ship.watch": lambda run, repo: watch_once(run, repo, self._holder(), self.tools),
        }
        for name, run in real.items():
            self._jobs[name] = run
            self.app.tasks.pop(name, None)
            self.app.task(name=name, shared=False, lazy=False)(_plain(run))

    @property
    def control(self) -> Control:
        """GitHub's other side."""
        return self.forge.control

    @property
    def slug(self) -> str:
        """The newest repository."""
        return self.forge.slug

    def pulls(self) -> list[int]:
        """Numbers of all its pull requests."""
        return sorted(self.control.repository(self.slug).pulls)

    def go(self, task: str = "go", **request: Any) -> str:
        """Begin a run with one task over the newest repository; the run. Nothing has happened yet."""
        tasks = request.pop("tasks", None)
        if tasks is None:
            tasks = [requested(task, self.forge.slug.split("/")[1])]
        return self.begin(tasks, portfolio=self.forge.portfolio(), **request)

    def once(self) -> bool:
        """Run the oldest message, or what has become due; False where nothing was."""
        self.collect()
        if not self.mail:
            self.reconcile()
        if not self.mail:
            return False
        message = self.mail.pop(0)
        try:
            self.play(message)
        except Died:
            self._two_leases_later()
        self.collect()
        return True

    def until(self, happens: Callable[[], bool], seconds: float = SECONDS) -> None:
        """Walk on until something holds."""
        end = time.monotonic() + seconds
        while not happens():
            assert time.monotonic() < end, self.story()
            if not self.once():
                time.sleep(0.02)

    def finish(self, run: str, seconds: float = SECONDS) -> list[Event]:
        """Walk on until the run is over; its events."""
        self.until(lambda: self.rig.ledger.runs.get(run).state not in RUN_OPEN, seconds)
        return self.rig.events(run)

    def looks(self, run: str, row: str, task: str = "go") -> bool:
        """Whether the newest look at the change was decided by this row."""
        return self.rig.ledger.attempts.pursuit(run, task).row == row

    def task(self, run: str, task: str = "go") -> TaskRecord:
        """A task as it stands."""
        return self.rig.task(run, task)

    def story(self) -> str:
        """What there is to know when a wait was in vain."""
        runs = self.rig.ledger.runs.list()
        events = [
            f"{e.kind} {e.task or ''} {dict(e.data)}"[:300] for run in runs for e in self.rig.events(run.id)[-25:]
        ]
        return "\n".join(events)

    def _two_leases_later(self) -> None:
        """Nobody has heard of the worker for so long that its last steps of a repository are anybody's; no waiting."""
        runs = self.rig.ledger.runs
        for run in runs.list():
            for key, known in runs.promotions(run.id).items():
                if known["state"] == PromotionState.UNDER_WAY:
                    runs.set_promotion(run.id, key, {**known, "at": 0.0, "wake_at": 0.0})

    def _holder(self) -> str:
        self._holders += 1
        return f"walk:{self._holders}"

    def _step(self, step: Callable[..., Next], value: dict[str, Any]) -> str:
        if step(StageKey.model_validate(value), self._holder(), self.tools) is Next.DROP:
            raise Ignore
        return "go-on"


def around(
    patch: pytest.MonkeyPatch,
    name: str,
    *,
    before: Callable[[], Any] | None = None,
    after: Callable[[], Any] | None = None,
    of: type = GitHubPullRequests,
    call: int = 1,
) -> None:
    """Let something happen right before or right after a call of a method that talks to the forge, once: the next
    one, or the `call`-th from now."""
    real = getattr(of, name)
    calls: list[None] = []

    def instead(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(None)
        if before and len(calls) == call:
            before()
        found = real(self, *args, **kwargs)
        if after and len(calls) == call:
            after()
        return found

    patch.setattr(of, name, instead)


def die() -> None:
    """The worker is killed."""
    raise Died


def of(events: list[Event], kind: EventKind) -> list[Event]:
    return [event for event in events if event.kind is kind]


@contextmanager
def walking(home: Path, repos: Sequence[str] = (), **env: str) -> Iterator[Walk]:
    """A server, a GitHub and a walk for all tests of a module; no worker."""
    with forge_standing(home, repos, **env) as forge, pytest.MonkeyPatch.context() as patch:
        for name, value in forge.rig.env.items():
            if name.startswith(("OPS_", "GITHUB_")):  # what a worker would be started with
                patch.setenv(name, value)
        made = Walk(forge)
        yield made
        if not forge.slug:
            return  # nothing was on GitHub
        pulls = made.tools.pulls_of(forge.portfolio().projects[0].repositories[0])
        assert isinstance(pulls, GitHubPullRequests)
        pulls._client.close()
