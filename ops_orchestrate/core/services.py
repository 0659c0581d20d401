"""The plugin's services file: where each branch of a repository is deployed, and what can be asked there.

One object; a key is `owner/name:branch`, its value has the URLs `health` and `version`. A tool of the owner's writes
it, so an odd entry is named and left out, and never makes a run fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ops_orchestrate.core.names import is_branch, is_slug
from ops_orchestrate.core.project import Deployed
from ops_orchestrate.core.registry_schema import kind, read_url, shown
from ops_orchestrate.core.strict_json import load_json
from ops_orchestrate.core.value import Value
from ops_orchestrate.errors import RegistryError

LIMIT = 4_000_000
"""Bytes of the file."""

_FIELDS = {"health": "health_url", "version": "version_url"}


class Services(Value):
    """What the file says."""

    by_slug: Mapping[str, tuple[Deployed, ...]] = {}
    """By `owner/name` in lower case."""
    warnings: tuple[str, ...] = ()

    def of(self, slug: str | None) -> tuple[Deployed, ...]:
        """What is known of one repository."""
        return self.by_slug.get(slug.casefold(), ()) if slug else ()


def parse_services(data: bytes, *, origin: str) -> Services:
    """Every entry that can be used, and a warning for each that can't. `origin`: the file's name for messages."""
    try:
        document = load_json(data, origin=origin, error=RegistryError, limit=LIMIT)
    except RegistryError as bad:
        return Services(warnings=(f"{bad} No service is known from it.",))
    if not isinstance(document, dict):
        return Services(warnings=(f"{origin} must be an object, not {kind(document)}. No service is known from it.",))
    found: dict[str, list[Deployed]] = {}
    warnings: list[str] = []
    for key, raw in document.items():
        if key.startswith("_") or key == "$schema":
            continue  # comments, as people write them where there are none
        try:
            slug, service = _service(key, raw)
        except ValueError as bad:
            warnings.append(f'{origin}: "{shown(key)}" {bad} It is left out.')
            continue
        found.setdefault(slug.casefold(), []).append(service)
    return Services(by_slug={slug: tuple(some) for slug, some in found.items()}, warnings=tuple(warnings))


def _service(key: str, raw: Any) -> tuple[str, Deployed]:
    """One entry. Raises ValueError, in words that follow its name."""
    slug, _, branch = key.partition(":")
    if not is_slug(slug) or not is_branch(branch):
        raise ValueError("is not `owner/name:branch`.")
    if not isinstance(raw, dict):
        raise ValueError(f"must be an object with `health` and `version`, not {kind(raw)}.")
    urls = {}
    for field, name in _FIELDS.items():
        if raw.get(field) not in (None, ""):
            try:
                urls[name] = read_url(raw[field])
            except ValueError as bad:
                raise ValueError(f"has a `{field}` that {bad}") from None
    if not urls:
        raise ValueError("has neither `health` nor `version`.")
    return slug, Deployed(branch=branch, **urls)
