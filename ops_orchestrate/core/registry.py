"""The registry file as values: both schemas met in the field, one kind of entry out of both.

Pure: bytes in, entries out, or a RegistryError that names file, entry and field. Whether a path exists and
which repository is in it, is for adapters/registry.py to find out. Nothing of a remote's credentials is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ops_orchestrate.core.names import is_name, one_line, slugify
from ops_orchestrate.core.nearest import did_you_mean
from ops_orchestrate.core.registry_schema import (
    OPS_KEYS,
    EntrySettings,
    Place,
    kind,
    read_alias,
    read_priority,
    read_settings,
    read_slugs,
    read_string,
    read_strings,
    shown,
)
from ops_orchestrate.core.remote import read_remote, remote_name
from ops_orchestrate.core.strict_json import load_json
from ops_orchestrate.core.value import Value
from ops_orchestrate.errors import RegistryError

EXTERNAL_SOURCES = frozenset({"shopify", "linear", "slack", "notion", "custom"})
LAST_PRIORITY = 99


class Entry(Value):
    """One project as somebody wrote it, checked; nothing in it has been looked up on disk."""

    alias: str
    alias_written: bool
    """A person chose the alias; False: it was derived, and may carry a number."""
    paths: tuple[str, ...] = ()
    checkouts: tuple[str, ...] = ()
    """Other checkouts of the same repository (`aliases` of the GSD-sync schema)."""
    slugs: tuple[str, ...] = ()
    remote_url: str | None = None
    """Without credentials."""
    priority: int = LAST_PRIORITY
    stage: str | None = None
    external: bool = False
    planning: bool = False
    settings: EntrySettings = EntrySettings()

    @property
    def issues_only(self) -> bool:
        """It has no repository, but names a place where issues are found."""
        return not self.paths and bool(self.settings.linear_team or self.settings.sentry_project)


class RegistryFile(Value):
    """All entries of a registry."""

    entries: tuple[Entry, ...]
    warnings: tuple[str, ...] = ()


def parse_registry(text: bytes, *, origin: str) -> RegistryFile:
    """Read a registry of either schema. `origin` is the file's name for messages.

    Raises RegistryError for what is no JSON, has no list of projects, or says something impossible.
    """
    document = load_json(text, origin=origin, error=RegistryError)
    drafts = [_draft(raw, key, number, origin) for number, (key, raw) in enumerate(_raw(document, origin))]
    written = _written_aliases(drafts, origin)
    entries = tuple(_numbered(drafts, written))
    known = {entry.alias: entry for entry in entries}
    for entry in entries:
        _check_consumes(entry, known, origin)
    warnings = tuple(warning for _, found in drafts for warning in found)
    return RegistryFile(entries=entries, warnings=warnings)


def _raw(document: Any, origin: str) -> Iterator[tuple[str | None, Any]]:
    """Every entry with the key it stands under, if it stands under one."""
    if isinstance(document, dict) and "projects" in document:
        document = document["projects"]
    elif isinstance(document, dict):
        if "path" in document or "paths" in document:
            document = [document]
        elif document:
            raise RegistryError(f'{origin} has no list "projects". `ops-orchestrate init` writes one.')
    if isinstance(document, dict):
        yield from document.items()
    elif isinstance(document, list):
        yield from ((None, raw) for raw in document)
    else:
        raise RegistryError(f'{origin}: "projects" must be a list of projects, not {kind(document)}.')


def _draft(raw: Any, key: str | None, number: int, origin: str) -> tuple[Entry, tuple[str, ...]]:
    """An entry whose derived alias is not yet unique, and what to warn about."""
    if isinstance(raw, str):
        raw = {"paths": [raw]}
    place = Place(origin, f"number {number + 1}" if key is None else f'"{shown(key)}"')
    if not isinstance(raw, dict):
        raise RegistryError(f"{origin}: project {place.entry} must be an object, not {kind(raw)}.")
    label = raw.get("alias") or key or raw.get("name")
    if isinstance(label, str):
        place.entry = f'"{shown(label)}"'
    entry = _entry(raw, key, number, place)
    misplaced = sorted(OPS_KEYS.intersection(raw) - {"repos"})
    return entry, tuple(f'{origin}: project {place.entry}: `{one}` is only read under "ops".' for one in misplaced)


def _entry(raw: dict[str, Any], key: str | None, number: int, place: Place) -> Entry:
    paths = _paths(raw, place)
    remote = read_remote(raw["remote_url"]) if isinstance(raw.get("remote_url"), str) else None
    slugs = place.read("repos", raw.get("repos") or [], read_slugs)
    if not slugs and remote and remote.slug:
        slugs = (remote.slug,)
    settings = read_settings(raw.get("ops"), place)
    team = settings.linear_team or _text(_dict(raw.get("linear")).get("team_key"))
    written = raw.get("alias") if raw.get("alias") is not None else key
    alias = place.read("alias", written, read_alias) if written is not None else None
    return Entry(
        alias=alias or _derived(raw, remote.identity if remote else None, paths, number),
        alias_written=alias is not None,
        paths=paths,
        checkouts=tuple(filter(None, (_text(one, limit=4096) for one in _list(raw.get("aliases"))))),
        slugs=slugs,
        remote_url=remote.url if remote else None,
        priority=_priority(raw.get("priority"), place),
        stage=_text(_dict(raw.get("revenue")).get("stage")) or _text(raw.get("revenue_stage")),
        external=raw.get("type") == "external" or (not paths and _text(raw.get("source")) in EXTERNAL_SOURCES),
        planning=raw.get("gsd") is True or raw.get("has_roadmap") is True or bool(_text(raw.get("phase"))),
        settings=settings.model_copy(update={"linear_team": team}),
    )


def _paths(raw: dict[str, Any], place: Place) -> tuple[str, ...]:
    if raw.get("paths") is not None:
        found: tuple[str, ...] = place.read("paths", raw["paths"], read_strings)
        return found
    if raw.get("path"):
        return (place.read("path", raw["path"], read_string),)
    return ()


def _priority(value: Any, place: Place) -> int:
    return LAST_PRIORITY if value is None else int(place.read("priority", value, read_priority))


def _derived(raw: dict[str, Any], identity: str | None, paths: tuple[str, ...], number: int) -> str:
    """An alias for an entry without one: from its remote, its folder, its name, its place in the file."""
    segments = [part for part in paths[0].split("/") if part not in ("", "~", ".")] if paths else []
    folder = segments[-1] if segments else None
    if folder in ("main", "master") and len(segments) > 1:
        folder = segments[-2]
    for word in (remote_name(identity) if identity else None, folder, _text(raw.get("name"))):
        if word and is_name(word):
            return word
        if word and slugify(word) != "x":
            return slugify(word)
    return f"proj{number + 1}"


def _written_aliases(drafts: list[tuple[Entry, tuple[str, ...]]], origin: str) -> set[str]:
    """Aliases that people chose, folded: case alone does not tell two folders apart on every disk."""
    seen: set[str] = set()
    for entry, _ in drafts:
        folded = entry.alias.casefold()
        if entry.alias_written and folded in seen:
            raise RegistryError(
                f'{origin}: two projects have the alias "{entry.alias}"; give one of them another `alias`.'
            )
        if entry.alias_written:
            seen.add(folded)
    return seen


def _numbered(drafts: list[tuple[Entry, tuple[str, ...]]], written: set[str]) -> Iterator[Entry]:
    """Derived aliases made unique with `-2`, `-3`, in the order of the file."""
    taken, last = set(written), dict[str, int]()
    for entry, _ in drafts:
        if entry.alias_written:
            yield entry
            continue
        alias, base = entry.alias, entry.alias.casefold()
        while alias.casefold() in taken:
            last[base] = last.get(base, 1) + 1
            alias = f"{entry.alias[:90]}-{last[base]}"
        taken.add(alias.casefold())
        yield entry if alias == entry.alias else entry.model_copy(update={"alias": alias})


def _check_consumes(entry: Entry, known: dict[str, Entry], origin: str) -> None:
    place = Place(origin, f'"{entry.alias}"')
    for alias in entry.settings.consumes:
        if alias == entry.alias:
            place.fail("ops.consumes", "names the project itself.")
        if alias not in known:
            hint = did_you_mean(alias, known)
            place.fail("ops.consumes", f'"{alias}" is no alias of this registry.{hint}')


def _text(value: Any, limit: int = 200) -> str | None:
    """A string that a tool wrote, as one line; None for anything else."""
    return one_line(value, limit) or None if isinstance(value, str) else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
