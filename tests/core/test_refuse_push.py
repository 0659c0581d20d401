"""How a branch may be moved: forward, by its plain name. A shared one is never rewritten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.guard import MOVES_FORWARD, REWRITES, SHARED_NAMES, refuse_push
from ops_orchestrate.core.refusal import Consequence


@pytest.mark.parametrize("method", sorted(REWRITES))
@pytest.mark.parametrize("branch", ["main", "master", "Main", "MASTER", "dev", "stable"])
def test_no_shared_branch_is_ever_rewritten(branch: str, method: str) -> None:
    refusal = refuse_push(branch, {"stable"}, method)
    assert refusal is not None
    assert (refusal.rule, refusal.consequence) == ("no-rewrite", Consequence.BLOCK)


@pytest.mark.parametrize("method", sorted(MOVES_FORWARD))
@pytest.mark.parametrize("branch", ["main", "dev", "ops/t1-a1-f7"])
def test_branches_may_be_moved_forward(branch: str, method: str) -> None:
    assert refuse_push(branch, {"main", "dev"}, method) is None


@pytest.mark.parametrize("method", sorted(REWRITES))
def test_a_branch_of_one_attempt_may_be_rewritten(method: str) -> None:
    assert refuse_push("ops/t1-a1-f7", {"main", "dev"}, method) is None


@pytest.mark.parametrize(
    "branch", ["+main", "-x", "refs/heads/main", "a;id", "", "x" * 300, "a..b", "main:main", "a\nb", "ＭＡＩＮ"]
)
def test_what_is_no_branch_name_is_never_pushed(branch: str) -> None:
    refusal = refuse_push(branch, (), "squash")
    assert refusal is not None
    assert refusal.rule == "unsafe-branch"


@pytest.mark.parametrize("method", ["", "Force", "force-with-lease", "rebase", "--force"])
def test_an_unknown_way_to_push_is_refused(method: str) -> None:
    refusal = refuse_push("ops/x", (), method)
    assert refusal is not None
    assert refusal.rule == "unknown-method"


@given(st.sampled_from(sorted(SHARED_NAMES)), st.sampled_from(sorted(REWRITES)), st.lists(st.text(max_size=9)))
def test_no_setting_takes_a_shared_name_off_the_list(branch: str, method: str, protected: list[str]) -> None:
    assert refuse_push(branch, protected, method) is not None
