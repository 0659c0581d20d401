"""Entries of the registry confirmed on disk: which repositories are really there, and why some are left out.

Reads folders and asks git; writes nothing. One repository is worked on by one project only: the second entry
that leads to it is skipped, and says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from errno import ELOOP
from hashlib import sha256
from pathlib import Path
from typing import Any

from ops_orchestrate.adapters.gitplace import GitPlace, Probe
from ops_orchestrate.core.names import is_name, one_line, slugify
from ops_orchestrate.core.nearest import did_you_mean
from ops_orchestrate.core.project import IssueSource, Project, Repository, Skipped
from ops_orchestrate.core.registry import Entry
from ops_orchestrate.core.remote import Remote, on_another_github, read_remote, remote_name
from ops_orchestrate.errors import GitError, RegistryError

SHELVED = frozenset({"archives", "scratch", ".worktrees"})
"""Folders whose projects are left alone unless one is asked for by name."""
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Spot:
    """A path of an entry that leads to a repository."""

    checkout: str
    remote: Remote | None
    identity: str


@dataclass(slots=True)
class Findings:
    """What the disk said about a list of entries."""

    projects: list[Project] = field(default_factory=list)
    issue_sources: list[IssueSource] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def skip(self, name: str, reason: str) -> None:
        """Leave something out, with the reason."""
        self.skipped.append(Skipped(name=name, reason=one_line(reason, 400)))


class Disk:
    """Looks entries up. `base` is the folder that relative paths start from: the registry's own.

    `github` is the host of GitHub's pages, where it is not github.com.
    """

    def __init__(self, probe: Probe, *, base: Path, home: Path, origin: str, github: str = "") -> None:
        self._probe = probe
        self._base = base
        self._home = home
        self._origin = origin
        self._github = github

    def resolve(self, entries: Sequence[Entry], *, shelved: bool) -> Findings:
        """Every entry as a project, an issue source or a reason. `shelved`: look into archives, too."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = list(pool.map(lambda entry: self._look(entry, shelved), entries))
        result = Findings()
        taken: dict[str, str] = {}
        for entry, looked in zip(entries, found, strict=True):
            self._add(entry, looked, result, taken)
        return result

    def spot(self, place: GitPlace) -> Spot:
        """The repository of a place.

        Raises GitError where its remote must not be given to git, or is on another GitHub than ours.
        """
        return _spot(place, (), self._github)

    def _look(self, entry: Entry, shelved: bool) -> list[Spot | Skipped]:
        return [self._look_at(path, entry, shelved) for path in entry.paths]

    def _look_at(self, written: str, entry: Entry, shelved: bool) -> Spot | Skipped:
        try:
            path = self._folder(written, shelved)
            place = self._probe(path)
            if place is None:
                raise _LeftOutError("is not in a git repository")
            if place.bare and place.toplevel == place.common_dir:
                raise _LeftOutError("is a bare repository; register a checkout of it")
            return _spot(place, entry.slugs, self._github)
        except (_LeftOutError, GitError) as left_out:
            return Skipped(name=entry.alias, reason=one_line(f"{written}: {left_out}", 400))

    def _folder(self, written: str, shelved: bool) -> Path:
        """A written path as a real folder; relative ones start at the registry."""
        path = self._base / _expanded(written, self._home)
        if not shelved and (shelf := self._shelf(path)):
            raise _LeftOutError(f"is under {shelf}/; name the project with --project to work on it")
        try:
            real = Path(os.path.realpath(path, strict=True))
            is_folder = real.is_dir()
        except OSError as bad:
            raise _LeftOutError(_path_reason(bad)) from None
        if not is_folder:
            raise _LeftOutError("is a file, not a folder")
        return real

    def _shelf(self, path: Path) -> str | None:
        inside = path.is_relative_to(self._home)
        parts = path.relative_to(self._home).parts if inside else path.parts[2:]
        return next((part for part in parts if part in SHELVED), None)

    def _add(self, entry: Entry, looked: list[Spot | Skipped], result: Findings, taken: dict[str, str]) -> None:
        if not entry.paths:
            _without_paths(entry, result)
            return
        left_out = [one for one in looked if isinstance(one, Skipped)]
        result.skipped += left_out
        spots = [one for one in looked if isinstance(one, Spot)]
        all_of_it = self._repositories(entry, spots, result)
        repositories = []
        for repository in all_of_it:
            owner = taken.setdefault(repository.key, entry.alias)
            if owner == entry.alias:
                repositories.append(repository)
            else:
                result.skip(entry.alias, f"{repository.path}: the same repository as project {owner}")
        if spots and not left_out:
            self._check_names(entry, all_of_it)
        if repositories:
            result.projects.append(_project(entry, tuple(repositories)))

    def _repositories(self, entry: Entry, spots: list[Spot], result: Findings) -> list[Repository]:
        """The repositories behind an entry's paths; several paths of one are its checkouts."""
        groups: dict[str, list[Spot]] = {}
        for spot in spots:
            groups.setdefault(spot.identity, []).append(spot)
        names: set[str] = set()
        found = []
        for identity, group in groups.items():
            first = group[0]
            if first.remote and first.remote.credentials:
                result.warnings.append(f"{entry.alias}: its remote holds a credential; take it out of the URL.")
            others = [spot.checkout for spot in group[1:]] + self._other_checkouts(entry, identity)
            checkouts = tuple(one for one in dict.fromkeys(others) if one != first.checkout)
            slug = self._slug(entry, first, only=len(groups) == 1, warnings=result.warnings)
            name = _unique(_name(first, slug), names)
            found.append(_repository(entry, first, name=name, slug=slug, checkouts=checkouts))
        return found

    def _other_checkouts(self, entry: Entry, identity: str) -> list[str]:
        """Checkouts that the sync tool listed, where they still are of this repository."""
        found = (self._look_at(path, entry, True) for path in entry.checkouts)
        return [one.checkout for one in found if isinstance(one, Spot) and one.identity == identity]

    @staticmethod
    def _slug(entry: Entry, spot: Spot, *, only: bool, warnings: list[str]) -> str | None:
        """The remote's own slug; the written one where the remote does not show any."""
        slug = spot.remote.slug if spot.remote else None
        if slug is None:
            return entry.slugs[0] if only and len(entry.slugs) == 1 else None
        if entry.slugs and slug.casefold() not in {one.casefold() for one in entry.slugs}:
            warnings.append(f"{entry.alias}: {spot.checkout} has the remote {slug}, which `repos` does not name.")
        return slug

    def _check_names(self, entry: Entry, repositories: Iterable[Repository]) -> None:
        """Every key of `ops.repos` is a repository that is there. Raises RegistryError."""
        known = [name for one in repositories for name in (one.name, one.slug) if name]
        for name in entry.settings.repos:
            if name not in known:
                shown = one_line(name, 60)
                raise RegistryError(
                    f'{self._origin}: project "{entry.alias}", field `ops.repos.{shown}`: '
                    f"no repository of this project has that name.{did_you_mean(name, known)}"
                )


class _LeftOutError(Exception):
    """Why a path is left out, in words that follow it."""


def _expanded(written: str, home: Path) -> Path:
    if written == "~" or written.startswith("~/"):
        return home / written[2:]
    try:
        return Path(written).expanduser()
    except RuntimeError:
        raise _LeftOutError("names the home of a user who is not here") from None


def _path_reason(bad: OSError) -> str:
    if bad.errno == ELOOP:
        return "is a loop of symbolic links"
    if isinstance(bad, FileNotFoundError | NotADirectoryError):
        return "does not exist"
    return f"cannot be read ({bad.strerror})"


def _spot(place: GitPlace, slugs: Sequence[str], github: str) -> Spot:
    """The repository at a place: the remote whose slug the entry names, else `origin`, else the first one."""
    checkout = place.main_checkout
    read = {name: read_remote(url, github=github) for name, url in place.remotes.items()}
    wanted = {slug.casefold() for slug in slugs}
    named = [name for name, one in read.items() if one and one.slug and one.slug.casefold() in wanted]
    name = next(iter([*named, *read]), None)
    if name is None:
        return Spot(checkout, None, os.path.realpath(checkout))
    remote = read[name]
    if remote is None:
        raise GitError(f"its remote {one_line(name, 40)} has an address that git must not be given")
    if elsewhere := on_another_github(remote, github):
        raise GitError(elsewhere)
    if remote.local:
        # A relative remote starts at the checkout; two checkouts write the same place differently.
        real = os.path.realpath(Path(place.toplevel) / Path(remote.url).expanduser())
        remote = remote.model_copy(update={"url": real, "identity": real})
    return Spot(checkout, remote, remote.identity)


def _name(spot: Spot, slug: str | None) -> str:
    word = slug.split("/")[1] if slug else remote_name(spot.identity).removesuffix(".git")
    return word if is_name(word) else slugify(word)


def _unique(name: str, names: set[str]) -> str:
    number = 1
    unique = name
    while unique.casefold() in names:
        number += 1
        unique = f"{name}-{number}"
    names.add(unique.casefold())
    return unique


def repository_key(name: str, identity: str) -> str:
    """A repository's key: readable, safe as a folder, the same for every checkout of it."""
    return f"{slugify(name)}-{sha256(identity.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def _repository(entry: Entry, spot: Spot, *, name: str, slug: str | None, checkouts: tuple[str, ...]) -> Repository:
    said: dict[str, Any] = entry.settings.for_repository(name, *([slug] if slug else []))
    return Repository(
        key=repository_key(remote_name(spot.identity).removesuffix(".git"), spot.identity),
        name=name,
        path=spot.checkout,
        checkouts=checkouts,
        upstream=spot.remote.url if spot.remote else spot.checkout,
        slug=slug,
        **said,
    )


def _project(entry: Entry, repositories: tuple[Repository, ...]) -> Project:
    planned = any((Path(one.path) / ".planning").is_dir() for one in repositories)
    return Project(
        alias=entry.alias,
        repositories=repositories,
        priority=entry.priority,
        stage=entry.stage,
        consumes=entry.settings.consumes,
        day_usd=entry.settings.day_usd,
        day_tokens=entry.settings.day_tokens,
        planning=entry.planning or planned,
        linear_team=entry.settings.linear_team,
        sentry_project=entry.settings.sentry_project,
    )


def _without_paths(entry: Entry, result: Findings) -> None:
    settings = entry.settings
    if entry.issues_only:
        result.issue_sources.append(
            IssueSource(alias=entry.alias, linear_team=settings.linear_team, sentry_project=settings.sentry_project)
        )
    elif entry.external:
        result.skip(entry.alias, "is external: it has no git repository to work on")
    else:
        result.skip(entry.alias, "names no path of a checkout")
