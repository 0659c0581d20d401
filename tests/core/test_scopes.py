"""What a classic token may do, held against what it is for: a table."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.scopes import for_reading, for_shipping, scopes_of


@pytest.mark.parametrize(
    ("header", "scopes"),
    [(None, None), ("", ()), ("repo", ("repo",)), ("workflow, repo", ("repo", "workflow"))],
)
def test_what_an_answer_names(header: str | None, scopes: tuple[str, ...] | None) -> None:
    assert scopes_of(header) == scopes


@pytest.mark.parametrize(
    ("header", "says", "mend"),
    [
        (None, "no classic one", False),
        ("repo, workflow", "a classic one with repo, workflow", False),
        ("repo, workflow, read:user", "a classic one with", False),
        ("", "with no scope: it can push nowhere", True),
        ("read:org", "it can push nowhere", True),
        ("public_repo, workflow", "public repositories alone", True),
        ("repo", "refuses its pushes that change a workflow", True),
        ("repo, workflow, delete_repo, admin:org", "needs no admin:org, delete_repo", True),
    ],
)
def test_of_the_token_that_merges(header: str | None, says: str, mend: bool) -> None:
    found = for_shipping(scopes_of(header))
    assert says in found.found
    assert bool(found.remedy) is mend


@pytest.mark.parametrize(
    ("header", "writes"),
    [
        (None, ""),
        ("", ""),
        ("read:org", ""),
        ("repo", "(repo)"),
        ("admin:org, public_repo", "(admin:org, public_repo)"),
    ],
)
def test_of_the_token_that_only_reads(header: str | None, writes: str) -> None:
    found = for_reading(scopes_of(header), "NAME")
    assert found.found.startswith("the audit reads with NAME")
    assert found.found.endswith(writes)
    assert bool(found.remedy) is bool(writes)
