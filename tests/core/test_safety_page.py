"""docs/safety.md names every rail of the seed, every guard in its order, and only tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ops_orchestrate.core.guard import GUARDS
from tests.pages import rows

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")

#: The seed's list, in its words (without what follows a dash).
RAILS = [
    "NEVER force-push to main/master",
    "NEVER merge with red CI",
    "NEVER bypass review on PRs touching auth, payments, PII, secrets",
    "NEVER touch `.env`, credentials, or secrets files",
    "NEVER `git reset --hard` on shared branches",
    "ALWAYS use worktrees",
    "ALWAYS define file ownership",
    "NEVER spawn teammates after entering delegate mode",
    "Max 5 concurrent agents",
]


TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


def test_every_rail_of_the_seed_has_its_row() -> None:
    assert [row[0] for row in rows(PAGE, "Rails of the seed")] == RAILS


def test_every_guard_has_its_row_in_the_order_of_the_code() -> None:
    assert [row[0] for row in rows(PAGE, "Guards on a change")] == [f"`{guard.name}`" for guard in GUARDS]


def test_every_rail_and_guard_names_a_test() -> None:
    for row in (
        rows(PAGE, "Rails of the seed") + rows(PAGE, "Rails of pull requests") + rows(PAGE, "Guards on a change")
    ):
        assert "::test_" in row[-1], row[0]


@pytest.mark.parametrize(
    "words",
    [
        "--admin",
        "enablePullRequestAutoMerge",
        "addPullRequestReview(",
        "dismissPullRequestReview",
        "/reviews",
        "bypass_",
    ],
)
def test_nothing_of_ours_passes_a_rule_of_the_forge_by(words: str) -> None:
    """The stand-in knows these words, as GitHub does; what is ours never says them."""
    ours = [file for file in ROOT.glob("ops_orchestrate/**/*.py") if "standin" not in file.parts]
    assert len(ours) > 100
    assert [str(file) for file in ours if words in file.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize(("file", "name"), TESTS, ids=[name for _, name in TESTS])
def test_every_test_that_is_named_exists(file: str, name: str) -> None:
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
