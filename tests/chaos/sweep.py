"""Every effect with every moment of it, one after the other: the worker dies before it, after it, or never hears.

Scenes are walked through in one process, so that each point is hit for certain and once; the nemesis hits the same
points in real workers, as they come. A death here is an exception that nobody catches. `python -m tests.chaos.sweep
ledger` lets workers die beside each transition of the ledger instead.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters import notify
from ops_orchestrate.errors import OpsError
from ops_orchestrate.ledger.scripts import Scripts
from tests.chaos.points import AFTER, BEFORE, EFFECTS, LOOKS, MOMENTS, Armed, effect, wrapped
from tests.chaos.scenes import SCENES, Scene
from tests.engine.hand import Message
from tests.engine.rig import work
from tests.engine.walk import QUICK, Died, Walk, walking
from workers import night

#: A lease that outlives a busy machine: a scene waits for an agent's own end, not for that of its lease.
_ENV = QUICK | {"OPS_WATCH_EVERY": "0.1", "OPS_LEASE": "6"}
#: Scenes whose steps make every transition that a run without people has.
TELLING = ("a change", "a join without a forge", "flaky CI", "an agent that crashes", "a promotion")


@contextmanager
def standing() -> Iterator[tuple[Walk, Armed]]:
    """A walk whose effects can be made to go wrong."""
    with (
        tempfile.TemporaryDirectory(prefix="ops", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        armed = Armed(Path(folder) / "points")
        for point in EFFECTS:
            owner, real = effect(point)
            patch.setattr(owner, point.attribute, wrapped(real, point, armed, _die))
        patch.setattr(night, "tell", notify.tell)  # it has its own name for it
        with walking(Path(folder) / "walk", repos=("app",), **_ENV) as walk:
            yield walk, armed


def _die() -> None:
    raise Died


def sweep_all(*only: str) -> tuple[set[str], list[str]]:
    """Play every scene (or only these) with each of its points; (what was hit, what must not be)."""
    hit: set[str] = set()
    bad: list[str] = []
    with standing() as (walk, armed):
        for scene in (one for one in SCENES if not only or one.name in only):
            for name in (f"{point}.{moment}" for point in scene.points for moment in MOMENTS):
                found = [f"{scene.name}, {name}: {what}" for what in _played(walk, armed, scene, name)]
                print("\n".join(found) or f"{scene.name}, {name}: right", flush=True)
                bad += found
                hit |= armed.hit()
    return hit, bad


def sweep_ledger(*only: str) -> tuple[set[str], list[str]]:
    """Play scenes with a death before and after each transition that their steps make; as `sweep_all`.

    That an answer is lost and the call repeated, `tests/ledger/test_server.py` has for every transition.
    """
    hit: set[str] = set()
    bad: list[str] = []
    with standing() as (walk, armed), pytest.MonkeyPatch.context() as patch:
        made = _beside_transitions(walk, armed, patch)
        for scene in (one for one in SCENES if one.name in (only or TELLING)):
            walk.rig.play({"*": [work("any")]})
            scene.play(walk, lambda: None)
            for name in sorted(f"ledger {name}.{moment}" for name in made for moment in (BEFORE, AFTER)):
                if name in hit:
                    continue
                found = [f"{scene.name}, {name}: {what}" for what in _played(walk, armed, scene, name)]
                print("\n".join(found) or f"{scene.name}, {name}: right", flush=True)
                bad += found
                hit |= armed.hit()
            made.clear()
    return hit, bad


def _beside_transitions(walk: Walk, armed: Armed, patch: pytest.MonkeyPatch) -> set[str]:
    """Steps die beside the transitions that are armed; which ones they have made, in a set that grows."""
    ask, play, made, step = Scripts.__call__, walk.play, set[str](), threading.local()

    def call(scripts: Scripts, name: str, *args: str | float) -> Any:
        mine = getattr(step, "runs", False) and name not in LOOKS  # not the test's own, and not a heartbeat
        if mine:
            made.add(name)
        if mine and armed.take(f"ledger {name}.{BEFORE}"):
            _die()
        answer = ask(scripts, name, *args)
        if mine and armed.take(f"ledger {name}.{AFTER}"):
            _die()
        return answer

    def played(message: Message) -> str:
        step.runs = True
        try:
            return play(message)
        finally:
            step.runs = False

    patch.setattr(Scripts, "__call__", call)
    patch.setattr(walk, "play", played)
    return made


def _played(walk: Walk, armed: Armed, scene: Scene, name: str) -> list[str]:
    walk.rig.play({"*": [work("any")]})
    armed.forget(name)
    try:
        found = scene.play(walk, lambda: armed.arm(name))
    except (AssertionError, OpsError) as error:
        return [f"it does not end: {str(error)[-1500:]}"]
    finally:
        armed.disarm()
    return found if name in armed.hit() else [*found, "the point was not come by"]


if __name__ == "__main__":
    began = time.monotonic()
    points, problems = sweep_ledger(*sys.argv[2:]) if sys.argv[1:2] == ["ledger"] else sweep_all(*sys.argv[1:])
    print(f"{len(points)} points, {len(problems)} problems, {time.monotonic() - began:.0f} s")
    sys.exit(bool(problems))
