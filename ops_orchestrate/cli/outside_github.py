"""The look at GitHub: by which token, as whom, what is left of its limit, and may we push to each repository?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

from ops_orchestrate.cli.checkup import Check
from ops_orchestrate.core.duty import READ_TOKEN
from ops_orchestrate.core.project import Portfolio
from ops_orchestrate.core.scopes import Finding, for_reading, for_shipping, scopes_of
from ops_orchestrate.errors import SourceUnavailable
from ops_orchestrate.report.amounts import count
from ops_orchestrate.wiring.outside import Outside

if TYPE_CHECKING:
    from ops_orchestrate.adapters.github.auth import Identity
    from ops_orchestrate.adapters.github.client import GitHubClient
    from ops_orchestrate.adapters.github.limits import Quota

#: Repositories that are asked about at most.
_MOST = 500


def examine_github(outside: Outside, found: Portfolio) -> Iterator[Check]:
    """One line on the whole, one for each repository that is not fine. Raises UsageError, SourceUnavailable."""
    slugs = sorted({one.slug for project in found.projects for one in project.repositories if one.slug})
    if not slugs:
        yield Check(what="github", state="ok", found="not asked: no repository of the registry is on GitHub")
        return
    try:
        outside.identity.token()
    except SourceUnavailable as error:
        yield Check(
            what="github",
            state="warning",
            found=f"{error}; {count(len(slugs), 'repository', 'repositories')} there cannot be read or shipped",
            remedy="Give it a token, or a GitHub App: docs/operating.md says which, and what each permission is for.",
        )
        return
    with closing(_client(outside, outside.identity)) as client:
        yield from _looked(outside, client, slugs)


def _client(outside: Outside, identity: Identity) -> GitHubClient:
    """A client that keeps nothing on the disk and tries once."""
    from ops_orchestrate.adapters.github.address import read_address  # late: httpx is slow to import
    from ops_orchestrate.adapters.github.client import GitHubClient
    from ops_orchestrate.adapters.github.limits import RateLimits
    from ops_orchestrate.adapters.outward import Outward

    settings = outside.settings
    limits = RateLimits(settings.github_reserve, time.time)
    address = read_address(settings.github_api_url)
    outward = Outward.of(settings)
    return GitHubClient(address, identity, limits, timeout=settings.github_timeout, attempts=1, outward=outward)


def _why_no_push(client: GitHubClient, slug: str) -> str | None:
    """Why nothing may be pushed there; that nobody answered is a reason for now."""
    from ops_orchestrate.adapters.github.permission import why_no_push

    try:
        return why_no_push(client, slug)
    except SourceUnavailable as error:
        return str(error)


def _looked(outside: Outside, client: GitHubClient, slugs: list[str]) -> Iterator[Check]:
    from ops_orchestrate.adapters.github.limits import Purpose
    from ops_orchestrate.adapters.github.queries import WHO

    who = client.own_name(client.ask(WHO, {}, Purpose.AUDIT).data.get("viewer")) or "somebody"
    asked = slugs[:_MOST]
    with ThreadPoolExecutor(outside.settings.github_threads) as pool:
        why = list(pool.map(lambda slug: _why_no_push(client, slug), asked))
    fine = sum(one is None for one in why)
    rest = f", {len(slugs) - len(asked)} not asked" if len(slugs) > len(asked) else ""
    yield Check(
        what="github",
        state="ok",
        found=f"we are {who} ({_origin(outside)}), may push to {fine} of {len(slugs)}{rest}",
    )
    yield _token(client)
    yield _reading(outside)
    yield from _limit(client)
    for slug, reason in zip(asked, why, strict=True):
        if reason is not None:
            yield Check(
                what=f"github {slug}",
                state="warning",
                found=reason,
                remedy="Until that is mended its work is planned and made, and nothing of it is merged.",
            )


def _scopes(client: GitHubClient) -> tuple[str, ...] | None:
    """The scopes of the client's token. Asking for the limits costs none of them."""
    from ops_orchestrate.adapters.github.limits import Purpose

    return scopes_of(client.get("/rate_limit", Purpose.SHIP).headers.get("x-oauth-scopes"))


def _token(client: GitHubClient) -> Check:
    """What the token that merges may do; a GitHub of one's own may count nothing, and has no such page."""
    try:
        return _check("github's token", for_shipping(_scopes(client)))
    except SourceUnavailable as error:
        return Check(what="github's token", state="ok", found=f"its scopes are not told: {error}")


def _check(what: str, found: Finding) -> Check:
    return Check(what=what, state="warning" if found.remedy else "ok", found=found.found, remedy=found.remedy)


def _reading(outside: Outside) -> Check:
    """Whether the pools that only look at GitHub have a token that can do no more."""
    from ops_orchestrate.adapters.github.auth import TokenIdentity
    from ops_orchestrate.adapters.github.trouble import Denied

    what = "github's reading"
    if not outside.secrets.get(READ_TOKEN):
        return Check(
            what=what,
            state="warning",
            found="the audit reads with the token that merges, and agents' workers do not ask GitHub at all",
            remedy=f"Set {READ_TOKEN} to a token that can only read.",
        )
    try:
        with closing(_client(outside, TokenIdentity(outside.secrets, READ_TOKEN))) as client:
            return _check(what, for_reading(_scopes(client), READ_TOKEN))
    except Denied as error:
        return Check(what=what, state="warning", found=f"{READ_TOKEN}: {error}", remedy="Make another one.")
    except SourceUnavailable as error:
        return Check(
            what=what, state="ok", found=f"the audit reads with {READ_TOKEN}; its scopes are not told: {error}"
        )


def _origin(outside: Outside) -> str:
    """Where the identity comes from, without its value."""
    from ops_orchestrate.adapters.github.auth import KEY_NAME, TOKEN_NAME

    app = outside.settings.github_app_id if outside.identity.bot else None
    name = KEY_NAME if app else TOKEN_NAME
    place = outside.secrets.look(name)[-1].origin
    return f"GitHub App {app}, {name} from the {place}" if app else f"{name} from the {place}"


def _limit(client: GitHubClient) -> Iterator[Check]:
    for kind, words in (("core", "requests"), ("graphql", "queries")):
        quota: Quota | None = client.limits.left(kind)
        if quota is None:
            continue
        low = quota.remaining <= client.limits.reserve_of(quota)
        hint = f"It is full again in {max(0.0, quota.reset - time.time()) / 60:.0f} min; until then audits see nothing."
        yield Check(
            what="github's limit",
            state="warning" if low else "ok",
            found=f"{quota.remaining} of {quota.limit} points an hour are left for {words}",
            remedy=hint if low else "",
        )
