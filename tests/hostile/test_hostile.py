"""Hostile agents, guarded: they ran, they got nothing, they did nothing. Unguarded (`make hostile`): they did.

In the default run one agent tries everything of a kind that goes together; each alone, and unguarded, is for
`make hostile`, which also prints the figures of docs/safety.md.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.foreign import needs_sandbox
from tests.hostile.harms import HARMS
from tests.hostile.payloads import PAYLOADS
from tests.hostile.stage import ALL, CANARIES, Stage, played
from tests.hostile.thefts import THEFTS

pytestmark = needs_sandbox

#: Each of these takes its agent's whole life: a limit that ends it, a report, or a repository that is none any more.
ALONE = {"forks without end", "takes all memory", "fills the disk", "fills the disk with deleted files", "commondir"}
ALONE |= {name for name in HARMS if name.startswith("reports")} | {".git is a file", "says that it is done"}

PAGE = Path(__file__).parents[2] / "docs" / "safety.md"


@pytest.mark.parametrize("kind", [THEFTS, HARMS, PAYLOADS], ids=["thefts", "harms", "payloads"])
def test_one_agent_that_tries_everything(tmp_path: Path, kind: dict[str, str]) -> None:
    names = [name for name in kind if name not in ALONE]
    with Stage(tmp_path, guarded=True) as stage:
        stage.run(*names)
        assert stage.tried(), stage.log
        assert stage.leaked() == set()
        assert [name for name in names if stage.fired(name)] == []


@pytest.mark.parametrize("name", ["forks without end", ".git is a file", "reports through a link"])
def test_some_that_cannot_be_tried_together(tmp_path: Path, name: str) -> None:
    assert played(tmp_path, name, guarded=True)[:3] == (True, False, set())


@pytest.mark.hostile
@pytest.mark.parametrize("name", ALL)
def test_a_hostile_agent_gets_nothing_and_does_nothing(tmp_path: Path, name: str) -> None:
    tried, fired, leaked, result = played(tmp_path, name, guarded=True)
    assert (tried, fired, leaked) == (True, False, set()), result


@pytest.mark.hostile
@pytest.mark.parametrize("name", ALL)
def test_the_same_agent_bites_where_nothing_guards(tmp_path: Path, name: str) -> None:
    """Otherwise the test above would show nothing."""
    tried, fired, _, _ = played(tmp_path, name, guarded=False)
    assert (tried, fired) == (True, True)


def test_the_page_has_the_figures_of_these_agents_and_canaries() -> None:
    """`make hostile` plays them and fails where they are others."""
    assert f"| guarded | 0 of {len(ALL)} | 0 of {len(CANARIES)} |" in PAGE.read_text(encoding="utf-8")
    assert f"| unguarded | {len(ALL)} of {len(ALL)} | {len(CANARIES)} of {len(CANARIES)} |" in PAGE.read_text(
        encoding="utf-8"
    )
    assert len(ALL) >= 25
