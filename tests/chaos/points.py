"""Crash points: every effect that leaves a process has a name, and a worker can be made to die right beside it.

`python -m tests.chaos.worker` wraps the effects of its process. A point is armed by a file in a folder; whoever comes
by takes the file away, so that it happens once. The third moment is an effect that is done and never answered.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

BEFORE, AFTER, UNANSWERED = MOMENTS = ("before", "after", "unanswered")

FOLDER = "OPS_CHAOS_POINTS"
"""The variable that names the folder."""


def _unknown() -> Any:
    """What a forge's adapter says when it got no answer."""
    from ops_orchestrate.core.change import Landing, LandingEnd

    return Landing(end=LandingEnd.UNKNOWN, detail="no answer")


def _unavailable() -> NoReturn:
    from ops_orchestrate.errors import SourceUnavailable

    raise SourceUnavailable("no answer")


def _no_ledger() -> NoReturn:
    from ops_orchestrate.errors import LedgerUnavailable

    raise LedgerUnavailable("no answer")


def _no_git() -> NoReturn:
    from ops_orchestrate.errors import GitError

    raise GitError("no answer")


def _no_agent() -> NoReturn:
    from ops_orchestrate.errors import AgentUnavailable

    raise AgentUnavailable("no answer")


def _not_told() -> NoReturn:
    from ops_orchestrate.adapters.notify import NotToldError

    raise NotToldError("no answer")


@dataclass(frozen=True)
class Point:
    """An effect. `silent`: what its caller gets when it was done and nobody answered."""

    name: str
    module: str
    holder: str
    """The class; empty: the module itself."""
    attribute: str
    silent: Callable[[], Any]


_PULLS = ("ops_orchestrate.adapters.github.pulls", "GitHubPullRequests")
_SHOP = ("ops_orchestrate.adapters.workshop", "GitWorkshop")

EFFECTS: tuple[Point, ...] = (
    Point("push a change's head", *_PULLS, "publish", _unknown),
    Point("open a pull request", *_PULLS, "open", _unavailable),
    Point("merge a pull request", *_PULLS, "merge", _unknown),
    Point("put into a merge queue", *_PULLS, "enqueue", _unknown),
    Point("run failed jobs again", *_PULLS, "rerun", _unknown),
    Point("answer a review thread", *_PULLS, "answer", _unknown),
    Point("remove a merged branch", *_PULLS, "remove", _unknown),
    Point("change a pull request's text", *_PULLS, "describe", _unknown),
    Point("close an overtaken promotion", *_PULLS, "close", _unknown),
    Point("push a merge", "ops_orchestrate.adapters.forges.local", "LocalForge", "land", _unknown),
    Point("close a ticket", "ops_orchestrate.adapters.linear.tracker", "LinearTracker", "close", _unavailable),
    Point("resolve an error", "ops_orchestrate.adapters.sentry.aftermath", "SentryAftermath", "close", _unavailable),
    Point("send the digest", "ops_orchestrate.adapters.notify", "", "tell", _not_told),
    Point("start an agent", "ops_orchestrate.adapters.agents.scripted", "ScriptedAgent", "start", _no_agent),
    Point("make a tree", *_SHOP, "prepare", _no_git),
    Point("bring an agent's commits home", *_SHOP, "collect", _no_git),
    Point("salvage an agent's work", *_SHOP, "salvage", _no_git),
    Point("remove a tree", *_SHOP, "discard_tree", _no_git),
    Point("publish a job", "ops_orchestrate.canvas", "", "publish", _no_ledger),
    Point("open a join", "ops_orchestrate.canvas", "", "open_join", _no_ledger),
    Point("return a part of a join", "ops_orchestrate.canvas", "", "return_part", _no_ledger),
    Point("open an audit", "ops_orchestrate.canvas", "", "open_audit", _no_ledger),
)

#: Scripts that only look; every other one is a transition, and a crash point by its own name.
LOOKS = frozenset({"board_look", "hosts_live", "prelude", "prelude_board", "prelude_money"})


def transitions() -> list[str]:
    """Every transition of the ledger."""
    folder = Path(__file__).resolve().parents[2] / "ops_orchestrate" / "ledger" / "lua"
    return sorted({file.stem for file in folder.glob("*.lua")} - LOOKS)


def every_point() -> list[str]:
    """`NAME.MOMENT` of all effects."""
    return [f"{point.name}.{moment}" for point in EFFECTS for moment in MOMENTS]


#: Effects that any run has; the others need a scene of their own.
COMMON = frozenset(point.name for point in EFFECTS if point.holder in ("LocalForge", "ScriptedAgent", "GitWorkshop"))
COMMON |= {"push a change's head", "open a pull request", "merge a pull request", "remove a merged branch"}
COMMON |= {"publish a job", "open a join", "return a part of a join", "open an audit"}


def common_points() -> list[str]:
    """`NAME.MOMENT` of what real workers come by in any run."""
    return [name for name in every_point() if name.rpartition(".")[0] in COMMON]


def every_transition() -> list[str]:
    """`ledger NAME.MOMENT` of all transitions."""
    return [f"ledger {name}.{moment}" for name in transitions() for moment in MOMENTS]


class Armed:
    """The folder with what is armed, and what was hit."""

    def __init__(self, folder: Path) -> None:
        self._armed, self._hit = folder / "armed", folder / "hit"
        for one in (self._armed, self._hit):
            one.mkdir(parents=True, exist_ok=True)

    def arm(self, name: str) -> None:
        """It is to happen, once."""
        (self._armed / name).touch()

    def take(self, name: str) -> bool:
        """Whether it is to happen here and now."""
        with suppress(FileNotFoundError):
            (self._armed / name).rename(self._hit / name)
            return True
        return False

    def armed(self) -> set[str]:
        """What is to happen still."""
        return {file.name for file in self._armed.iterdir()}

    def disarm(self) -> None:
        """Nothing is to happen any more."""
        for file in self._armed.iterdir():
            file.unlink(missing_ok=True)

    def forget(self, name: str) -> None:
        """As if it had not happened yet."""
        (self._hit / name).unlink(missing_ok=True)

    def hit(self) -> set[str]:
        """What has happened."""
        return {file.name for file in self._hit.iterdir()}


def die() -> None:
    """As a power cut: no handler, no `finally`."""
    os.kill(os.getpid(), signal.SIGKILL)


def install(armed: Armed) -> None:
    """Wrap the effects of this process, and the transitions of the ledger."""
    for point in EFFECTS:
        owner, real = effect(point)
        setattr(owner, point.attribute, wrapped(real, point, armed, die))
    _install_ledger(armed)


def effect(point: Point) -> tuple[Any, Callable[..., Any]]:
    """Where the effect is, and what it is."""
    module = import_module(point.module)
    owner = getattr(module, point.holder) if point.holder else module
    return owner, getattr(owner, point.attribute)


def wrapped(real: Callable[..., Any], point: Point, armed: Armed, die: Callable[[], Any]) -> Callable[..., Any]:
    """The effect with its three moments; `die` ends whoever calls it."""

    @wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        if armed.take(f"{point.name}.{BEFORE}"):
            die()
        silent = armed.take(f"{point.name}.{UNANSWERED}")
        answer = real(*args, **kwargs)
        if armed.take(f"{point.name}.{AFTER}"):
            die()
        return point.silent() if silent else answer

    return call


def _install_ledger(armed: Armed) -> None:
    """A transition whose answer is lost is asked for again, with the same token: redis-py does so by itself."""
    from ops_orchestrate.ledger.scripts import Scripts
    from ops_orchestrate.ledger.server import Server

    ask, run = Scripts.__call__, Server.run
    state = threading.local()

    def call(self: Scripts, name: str, *args: str | float) -> Any:
        if armed.take(f"ledger {name}.{BEFORE}"):
            die()
        state.again = armed.take(f"ledger {name}.{UNANSWERED}")
        answer = ask(self, name, *args)
        if armed.take(f"ledger {name}.{AFTER}"):
            die()
        return answer

    def running(self: Server, script: Any, keys: Any, args: Any) -> Any:
        if getattr(state, "again", False):
            state.again = False
            run(self, script, keys, args)
        return run(self, script, keys, args)

    Scripts.__call__ = call  # type: ignore[method-assign]
    Server.run = running  # type: ignore[method-assign]
