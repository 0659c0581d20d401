"""What dead workers left on this host is kept, one tree at a time."""

from __future__ import annotations

import io
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.project import Repository
from ops_orchestrate.engine.salvage import sweep
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.log import OneLine
from ops_orchestrate.ports import Workshop
from tests.engine.rig import Rig, requested
from tests.repos import commit, git

pytestmark = pytest.mark.real


class Spiteful:
    """A workshop that falls over one attempt's tree, in a way that nobody thought of."""

    def __init__(self, inner: Workshop, task: str) -> None:
        self._inner = inner
        self._task = task

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def salvage(self, repo: Repository, key: StageKey, *, base: str = "") -> str | None:
        if key.task == self._task:
            raise IsADirectoryError(21, "Is a directory")
        return self._inner.salvage(repo, key, base=base)


def leave_a_tree(run: str, task: str, fence: int, tools: Toolbox, files: dict[str, str]) -> StageKey:
    """The tree of an attempt whose worker is dead."""
    repository = tools.ledger.runs.get(run).request.portfolio.repository("app")
    key = StageKey(run=run, task=task, attempt=1, fence=fence)
    tools.workshop.refresh(repository)
    base = tools.workshop.head(repository, "dev")
    assert base
    tree = tools.workshop.prepare(repository, key, base)
    if files:
        commit(Path(tree.path), dict(files))
    return key


def test_one_tree_that_cannot_be_read_does_not_keep_the_work_of_the_others(rig: Rig) -> None:
    run = rig.submit([requested("hostile"), requested("last")])
    tools = rig.tools
    leave_a_tree(run, "hostile", 1, tools, {"x": "x"})
    leave_a_tree(run, "last", 2, tools, {"y": "y"})
    handler = logging.StreamHandler(said := io.StringIO())
    handler.setFormatter(OneLine("rig"))
    logging.getLogger("ops_orchestrate").addHandler(handler)
    try:
        assert sweep(replace(tools, workshop=cast(Workshop, Spiteful(tools.workshop, "hostile")))) == 1
    finally:
        logging.getLogger("ops_orchestrate").removeHandler(handler)
    assert f"could not be swept run={run} task=hostile attempt=1 host=rig" in said.getvalue()
    mirror = rig.settings.state_dir / "mirrors" / "app.git"
    assert git("show", f"refs/ops/salvage/{run}/last/a1-f2:y", cwd=mirror) == "y"
    assert [key.task for _, key in tools.workshop.leftover_trees()] == ["hostile"]


def test_a_tree_in_which_nothing_was_done_is_removed_without_a_word(rig: Rig) -> None:
    run = rig.submit([requested("early")])
    tools = rig.tools
    leave_a_tree(run, "early", 1, tools, {})
    before = len(rig.events(run))
    assert sweep(tools) == 1
    assert len(rig.events(run)) == before
    assert not list(tools.workshop.leftover_trees())
    assert not (rig.settings.state_dir / "kept").exists()
