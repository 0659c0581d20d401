"""What a plan says of a repository on GitHub: through pull requests, or why not; asked of GitHub itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ops_orchestrate.core.outlet import Outlet
from ops_orchestrate.core.project import Repository
from ops_orchestrate.engine.preview import outlets
from tests.adapters.github.scene import SLUG, Scene
from tests.builders import make_portfolio, make_project, make_request


def way_of(scene: Scene, repository: Repository, **flags: Any) -> Outlet:
    """As `plan` asks, with the means of this scene."""
    tools: Any = SimpleNamespace(workshop=scene.workshop, pulls_of=lambda _repository: scene.pulls)
    scene.workshop.refresh(repository)
    request = make_request(portfolio=make_portfolio(make_project(repositories=(repository,))), **flags)
    (way,) = outlets([repository.key], request, tools)
    return way


@pytest.mark.parametrize(
    ("no_main", "promote", "main"), [(False, True, "main"), (True, True, ""), (False, False, "")]
)  # fmt: skip
def test_changes_go_through_pull_requests_and_then_to_main(
    no_main: bool, promote: bool, main: str, scene: Scene
) -> None:
    way = way_of(scene, scene.value(SLUG, gate="make test", promote=promote), no_main=no_main)
    assert (way.slug, way.integration, way.main, way.refused) == (SLUG, "dev", main, "")


def test_what_may_not_be_pushed_to_is_said_in_the_plan(scene: Scene) -> None:
    scene.control.permit(SLUG, "bot", "read")
    way = way_of(scene, scene.value(SLUG, gate="make test"))
    assert way.refused == f"GitHub does not let us push to {SLUG}; it is only read"
