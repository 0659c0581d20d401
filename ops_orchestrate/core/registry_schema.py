"""What one entry of the registry may say, field by field, and the readers that check it.

Two kinds of fields. Those that a person writes (`alias`, `paths`, `repos`, `priority`, all under `ops`) are
checked strictly: an impossible value is a RegistryError that names entry and field. Those that a tool
writes (`path`, `name`, `remote_url`, `aliases`, …) are read as far as they make sense and left out otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NoReturn
from urllib.parse import urlsplit

from pydantic import Field

from ops_orchestrate.core.hosts import read_host
from ops_orchestrate.core.names import is_branch, is_name, is_slug, one_line
from ops_orchestrate.core.nearest import did_you_mean
from ops_orchestrate.core.remote import read_remote
from ops_orchestrate.core.value import Value
from ops_orchestrate.errors import RegistryError

GATE_LIMIT = 8192
"""Characters of a gate: longer ones belong into a script of the repository."""


class RepoSettings(Value):
    """What the owner adds for one repository, under `ops`; None where nothing is said."""

    integration: str | None = None
    main: str | None = None
    gate: str | None = None
    gate_seconds: int | None = None
    gate_network: bool | None = None
    gate_hosts: tuple[str, ...] | None = None
    ci: Literal["none", "expected"] | None = None
    sensitive: tuple[str, ...] | None = None
    expected_checks: tuple[str, ...] | None = None
    skippable_checks: tuple[str, ...] | None = None
    unprotected_ok: bool | None = None
    health_url: str | None = None
    version_url: str | None = None
    promote: bool | None = None

    def said(self) -> dict[str, Any]:
        """Only what the owner did say, by field of Repository."""
        return self.model_dump(exclude_none=True)


class EntrySettings(RepoSettings):
    """What the owner adds for a whole entry; the repository fields hold for each of its repositories."""

    consumes: tuple[str, ...] = ()
    linear_team: str | None = None
    sentry_project: str | None = None
    day_usd: float | None = None
    day_tokens: int | None = None
    repos: dict[str, RepoSettings] = Field(default_factory=dict)

    def for_repository(self, *names: str) -> dict[str, Any]:
        """The fields of one repository: the entry's, overridden by those under one of its names."""
        common = self.model_dump(exclude_none=True, include=set(RepoSettings.model_fields))
        for name in names:
            if name in self.repos:
                return common | self.repos[name].said()
        return common


class Place:
    """Where in the file we are, for messages."""

    def __init__(self, origin: str, entry: str) -> None:
        self.origin = origin
        self.entry = entry

    def fail(self, field: str, reason: str) -> NoReturn:
        """Raise the one kind of error there is here."""
        raise RegistryError(f"{self.origin}: project {self.entry}, field `{field}`: {reason}")

    def read(self, field: str, value: Any, reader: Callable[[Any], Any]) -> Any:
        """`value` through its reader, whose ValueError becomes a RegistryError with entry and field."""
        try:
            return reader(value)
        except ValueError as bad:
            self.fail(field, str(bad))


def read_settings(value: Any, place: Place) -> EntrySettings:
    """The `ops` object of an entry. Raises RegistryError for unknown keys and impossible values."""
    if value is None:
        return EntrySettings()
    found = _read_object("ops", value, _ENTRY_READERS, place)
    if "repos" in found:
        found["repos"] = {
            name: RepoSettings(**_read_object(f"ops.repos.{shown(name)}", raw, _REPO_READERS, place))
            for name, raw in found["repos"].items()
        }
    return EntrySettings(**found)


def _read_object(field: str, value: Any, readers: dict[str, Callable[[Any], Any]], place: Place) -> dict[str, Any]:
    if not isinstance(value, dict):
        place.fail(field, f"must be an object, not {kind(value)}.")
    for key in value:
        if key not in readers:
            place.fail(f"{field}.{shown(key)}", f"is not a known key.{did_you_mean(key, readers)}")
    return {key: place.read(f"{field}.{key}", raw, readers[key]) for key, raw in value.items() if raw is not None}


def kind(value: Any) -> str:
    """What a JSON value is, for a person."""
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "a string", list: "a list"}
    return "null" if value is None else kinds.get(type(value), "an object")


def shown(value: object) -> str:
    """A value from the file inside a message: one harmless, short line, without credentials."""
    text = one_line(str(value), 60)
    return text if "@" not in text else text.rsplit("@", 1)[-1]


def read_string(value: Any) -> str:
    """A string of one line with something in it."""
    if not isinstance(value, str):
        raise ValueError(f"must be a string, not {kind(value)}.")
    text = value.strip()
    if not text:
        raise ValueError("is empty; leave the key out instead.")
    if not text.isprintable():
        raise ValueError("has a line break or an invisible character in it.")
    return text


def read_strings(value: Any) -> tuple[str, ...]:
    """A list of strings; null and empty ones are dropped."""
    if not isinstance(value, list):
        hint = ", not a string: write […] around it" if isinstance(value, str) else f", not {kind(value)}"
        raise ValueError(f"must be a list of strings{hint}.")
    kept = (one for one in value if one is not None and one != "")
    return tuple(dict.fromkeys(read_string(one) for one in kept))


def read_alias(value: Any) -> str:
    """A name a person gives a project."""
    text = read_string(value)
    if not is_name(text):
        raise ValueError(f'"{shown(text)}" may only have the letters A to Z, digits, dots, dashes and underscores.')
    return text


def read_slugs(value: Any) -> tuple[str, ...]:
    """`owner/name` of each repository; a GitHub URL counts as its slug, `none` as nothing."""
    return tuple(dict.fromkeys(_slug(one) for one in read_strings(value) if one.casefold() != "none"))


def read_priority(value: Any) -> int:
    """A whole number from 1 to 99."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise ValueError(f"must be a whole number from 1 to 99, not {kind(value)}.")
    if not 1 <= value <= 99:
        raise ValueError("must be from 1 (most important) to 99.")
    return int(value)


def _slug(text: str) -> str:
    remote = read_remote(text) if "://" in text or text.startswith("git@") else None
    slug = remote.slug if remote else text
    if slug is None or not is_slug(slug):
        raise ValueError(f'"{shown(text)}" is not `owner/name` of a GitHub repository.')
    return slug


def _branch(value: Any) -> str:
    text = read_string(value)
    if not is_branch(text):
        raise ValueError(f'"{shown(text)}" is not a branch name.')
    return text


def _gate(value: Any) -> str:
    text = read_string(value)
    if len(text) > GATE_LIMIT:
        raise ValueError(f"is longer than {GATE_LIMIT} characters; put it into a script of the repository.")
    return text


def _seconds(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 2400:
        raise ValueError("must be a whole number of seconds from 1 to 2400.")
    return value


def _dollars(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1_000_000:
        raise ValueError("must be dollars, more than 0 and at most a million.")
    return float(value)


def _tokens(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= 10**12:
        raise ValueError("must be a whole number of tokens, more than 0.")
    return value


def _yes_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {kind(value)}.")
    return value


def _hosts(value: Any) -> tuple[str, ...]:
    named = read_strings(value)
    for name in named:
        try:
            read_host(name)
        except ValueError as error:
            raise ValueError(f"{error}.") from None
    return named


def _ci(value: Any) -> str:
    if value not in ("none", "expected"):
        raise ValueError('must be "none" or "expected".')
    return str(value)


def read_url(value: Any) -> str:
    """An http or https URL that holds no credentials."""
    text = read_string(value)
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"}:
        raise ValueError("must be an http or https URL.")
    if parts.username or parts.password:
        raise ValueError("must not hold credentials; the registry is no place for secrets.")
    return text


def _aliases(value: Any) -> tuple[str, ...]:
    return tuple(read_alias(one) for one in read_strings(value))


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"must be an object with one key for each repository, not {kind(value)}.")
    return value


_REPO_READERS: dict[str, Callable[[Any], Any]] = {
    "integration": _branch,
    "main": _branch,
    "gate": _gate,
    "gate_seconds": _seconds,
    "gate_network": _yes_no,
    "gate_hosts": _hosts,
    "ci": _ci,
    "sensitive": read_strings,
    "expected_checks": read_strings,
    "skippable_checks": read_strings,
    "unprotected_ok": _yes_no,
    "health_url": read_url,
    "version_url": read_url,
    "promote": _yes_no,
}

_ENTRY_READERS: dict[str, Callable[[Any], Any]] = {
    **_REPO_READERS,
    "consumes": _aliases,
    "linear_team": read_string,
    "sentry_project": read_string,
    "day_usd": _dollars,
    "day_tokens": _tokens,
    "repos": _object,
}

OPS_KEYS = frozenset(_ENTRY_READERS)
"""Every key of `ops`: one of them beside `ops` instead of inside it is worth a warning."""
