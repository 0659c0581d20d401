"""`demo --github`: the same story through pull requests, on a GitHub that runs beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.report.check import violations
from tests.cli.test_demo import Demo
from tests.repos import git

pytestmark = [pytest.mark.real, pytest.mark.timeout(450)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Run once."""
    yield Demo(tmp_path_factory.mktemp("demo-github") / "it", "--github")


def test_it_ends_well_and_every_merge_is_a_pull_request(demo: Demo) -> None:
    assert demo.code == 0, demo.err
    assert violations(demo.events) == []
    assert demo.report["totals"]["completed"] == demo.report["totals"]["promoted"] == 6
    done = [task for task in demo.tasks.values() if task["state"] == "completed"]
    assert all(task["change"].startswith("#") for task in done)


def test_a_runner_that_broke_down_is_run_again_and_costs_no_attempt(demo: Demo) -> None:
    told = [event.data for event in demo.events if event.kind is EventKind.EVIDENCE]
    assert [one["class"] for one in told if one["what"] == "check"] == ["infrastructure"]
    assert [one["check"] for one in told if one["what"] == "rerun"] == ["test"]
    assert len(demo.tasks["web-total-with-tax"]["attempts"]) == 1


def test_nobodys_token_is_left_in_the_folder(demo: Demo) -> None:
    found = git("grep", "--no-index", "--files-with-matches", "-E", "demo-[0-9a-f]{24}", cwd=demo.folder, check=False)
    assert found == ""
