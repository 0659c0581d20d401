"""Every effect that a port has is a crash point, and every crash point is hit by a scene of the sweep."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_orchestrate import ports
from ops_orchestrate.ports import aftermath
from tests.chaos.points import EFFECTS, MOMENTS, Armed, effect, every_point, transitions, wrapped
from tests.chaos.scenes import SCENES
from tests.engine.walk import Died

#: What a port's other methods are: they look, or what they write stays in this host's own mirror and is made again.
LOOKS = {
    "Agent": {"probe"},
    "Forge": {"may_ship", "proved"},
    "PullRequests": {"may_write", "read", "glance", "opened", "rules", "checks", "failed_jobs", "still"},
    "Tracker": set[str](),
    "Workshop": {
        "look", "refresh", "integration", "main", "head", "hold_tree", "diff", "patch", "preview", "checkout",
        "commit_tree", "is_ancestor", "tree_of", "parents_of", "find_commit", "own_branches", "read_file", "list_files",
        "tidy", "drop_mirrors", "leftover_trees",
    },
}  # fmt: skip
HOLDERS = {
    "Agent": ("ScriptedAgent",),
    "Forge": ("LocalForge",),
    "PullRequests": ("GitHubPullRequests",),
    "Tracker": ("LinearTracker", "SentryAftermath"),
    "Workshop": ("GitWorkshop",),
}


@pytest.mark.parametrize("name", LOOKS)
def test_every_method_of_a_port_looks_or_is_a_crash_point(name: str) -> None:
    port = getattr(ports, name, None) or getattr(aftermath, name)
    methods = {one for one, value in vars(port).items() if callable(value) and not one.startswith("_")}
    for holder in HOLDERS[name]:
        points = {point.attribute for point in EFFECTS if point.holder == holder}
        assert points | LOOKS[name] == methods
        assert not points & LOOKS[name]


def test_every_crash_point_has_a_scene() -> None:
    assert {name for scene in SCENES for name in scene.points} == {point.name for point in EFFECTS}
    assert len(every_point()) == len(set(every_point())) == 3 * len(EFFECTS)


def test_every_crash_point_is_there() -> None:
    assert all(callable(effect(point)[1]) for point in EFFECTS)
    assert "board_grant" in transitions()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_point_happens_once_and_at_its_moment(moment: str, tmp_path: Path) -> None:
    done: list[str] = []
    armed, point = Armed(tmp_path), EFFECTS[0]
    call = wrapped(lambda: done.append("done"), point, armed, _die)
    call()
    armed.arm(f"{point.name}.{moment}")
    if moment == "unanswered":
        assert call().end == "unknown"
    else:
        with pytest.raises(Died):
            call()
    assert len(done) == (1 if moment == "before" else 2)
    assert armed.hit() == {f"{point.name}.{moment}"}
    call()
    armed.arm("other")
    armed.disarm()
    assert not armed.take("other")


def _die() -> None:
    raise Died
