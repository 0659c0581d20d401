"""What a classic token of GitHub may do: GitHub names its scopes with each answer. Other kinds of tokens have none."""

from __future__ import annotations

from typing import NamedTuple

#: Of these, any lets its holder write; a token that is only to read needs none of them.
WRITES = frozenset({"repo", "public_repo", "workflow", "write:packages", "gist", "project", "delete_repo"})
#: Shipping needs no more than `repo` and `workflow`, and an account's name to be shown.
_ENOUGH = frozenset({"repo", "public_repo", "repo:status", "repo_deployment", "workflow", "read:user", "user:email"})


class Finding(NamedTuple):
    """A sentence, and what to do about it; empty where there is nothing to do."""

    found: str
    remedy: str = ""


def scopes_of(header: str | None) -> tuple[str, ...] | None:
    """The scopes of an answer's `X-OAuth-Scopes`; None where it has none: no classic token."""
    return None if header is None else tuple(sorted(filter(None, (one.strip() for one in header.split(",")))))


def for_shipping(scopes: tuple[str, ...] | None) -> Finding:
    """What a token that merges may do, held against what it needs."""
    if scopes is None:
        return Finding("no classic one: what it may do is asked repository by repository")
    named = f"a classic one with {', '.join(scopes) or 'no scope'}"
    more = [one for one in scopes if one not in _ENOUGH]
    if not {"repo", "public_repo"} & {*scopes}:
        return Finding(f"{named}: it can push nowhere", "Give it the scope `repo` (and `workflow`).")
    if more:
        remedy = "Give it `repo` and `workflow` alone, or use a GitHub App."
        return Finding(f"{named}: shipping needs no {', '.join(more)}", remedy)
    if "repo" not in scopes:
        return Finding(f"{named}: it can push to public repositories alone", "Give it the scope `repo`.")
    if "workflow" not in scopes:
        remedy = "Give it the scope `workflow`, if tasks may change .github/workflows."
        return Finding(f"{named}: GitHub refuses its pushes that change a workflow", remedy)
    return Finding(named)


def for_reading(scopes: tuple[str, ...] | None, name: str) -> Finding:
    """What a token that is only to read may do; `name`: what it is asked for by."""
    writes = sorted(WRITES.intersection(scopes or ()) | {one for one in scopes or () if one.startswith("admin:")})
    if not writes:
        return Finding(f"the audit reads with {name}")
    return Finding(
        f"the audit reads with {name}, a classic token that can write, too ({', '.join(writes)})",
        "Make a fine-grained token with permissions to read, and no other.",
    )
