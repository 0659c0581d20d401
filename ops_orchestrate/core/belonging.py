"""Where work from a tracker belongs: which project, which repository. Found by what it says, never guessed.

A team, or a Sentry project, that serves one repository leaves no question. Where it serves several, a ticket says
which: by a link to the repository, by a label, by its title, by its text, in this order. What says nothing, or
several things, is not worked on; a person is told what to set.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from ops_orchestrate.core.project import Portfolio, Project, Repository
from ops_orchestrate.core.value import Value

_PLAIN_WORD = re.compile(r"[A-Za-z]+")


class Spot(NamedTuple):
    """A place for work."""

    project: Project
    repo: Repository


class Clues(Value):
    """What a ticket says about where it belongs."""

    links: tuple[str, ...] = ()
    """`owner/name` of the repositories it is linked to."""
    labels: tuple[str, ...] = ()
    title: str = ""
    text: str = ""


class Doubt(Value):
    """Why nobody knows where something belongs; `named` are the places it could be."""

    named: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    """It is linked to these repositories and to no candidate, and no label says that it is meant all the same."""


def spots_of(projects: Iterable[Project]) -> tuple[Spot, ...]:
    """Every repository of these projects."""
    return tuple(Spot(project, repo) for project in projects for repo in project.repositories)


def served_by(team: str, portfolio: Portfolio) -> tuple[tuple[Project, ...], bool]:
    """The projects that a Linear team may work for, and whether that is certain without any clue.

    An entry of the registry that only names the team serves nobody in particular, so every project may be meant. A
    project outside the run that shares the team takes the certainty away, too.
    """
    key = team.casefold()
    named = tuple(one for one in portfolio.projects if (one.linear_team or "").casefold() == key)
    shared = any((one.linear_team or "").casefold() == key for one in portfolio.elsewhere)
    if named:
        return named, len(named) == 1 and not shared
    return portfolio.projects, False


def place_ticket(clues: Clues, projects: Sequence[Project], *, certain: bool) -> Spot | Doubt:
    """Where a ticket belongs. `certain`: it belongs to these projects whatever it says."""
    left = spots_of(projects)
    by_link, by_label, *by_words = _clues(clues)
    if clues.links and not any(by_link(spot) or by_label(spot) for spot in left):
        return Doubt(elsewhere=clues.links)
    narrowed = certain
    for says in (by_link, by_label, *by_words):
        hits = tuple(spot for spot in left if says(spot))
        left, narrowed = (hits, True) if hits else (left, narrowed)
        if len(left) == 1 and narrowed:
            return left[0]
    return Doubt(named=tuple(_called(spot) for spot in left) if narrowed else ())


def place_error(slug: str, portfolio: Portfolio) -> Spot | Doubt:
    """Where the errors of a Sentry project belong: the one repository of the one project that names it.

    Among several repositories (or projects), the one that is called like the Sentry project.
    """
    key = slug.casefold()
    named = [one for one in portfolio.projects if (one.sentry_project or "").casefold() == key]
    shared = any((one.sentry_project or "").casefold() == key for one in portfolio.elsewhere)
    spots = spots_of(named or portfolio.projects)
    if named and len(spots) == 1 and not shared:
        return spots[0]
    called = [spot for spot in spots if key in (spot.repo.name.casefold(), spot.project.alias.casefold())]
    if len(called) > 1:
        called = [spot for spot in called if key == spot.repo.name.casefold()]
    return called[0] if len(called) == 1 else Doubt(named=tuple(_called(spot) for spot in spots) if named else ())


def _clues(clues: Clues) -> Iterator[Callable[[Spot], bool]]:
    """One question after the other, the surest first."""
    links = {link.casefold() for link in clues.links}
    labels = {re.sub(r"^(?:repo|project)[:/]\s*", "", label.casefold()) for label in clues.labels}
    title, text = clues.title.casefold(), clues.text.casefold()
    yield lambda spot: (spot.repo.slug or "").casefold() in links
    yield lambda spot: not labels.isdisjoint(_names(spot))
    yield lambda spot: any(_says(title, name) for name in _names(spot))
    yield lambda spot: any(_says(text, name) for name in _names(spot))


def _names(spot: Spot) -> set[str]:
    names = {spot.project.alias, spot.repo.name, spot.repo.slug or spot.repo.name}
    return {name.casefold() for name in names}


def _says(text: str, name: str) -> bool:
    """Whether a text names a project. `web` or `app` is also a word: it counts only where it is marked as a name."""
    word = re.escape(name)
    if not _PLAIN_WORD.fullmatch(name):
        return re.search(rf"(?<![\w./-]){word}(?![\w/-])", text) is not None
    headed = rf"(?:^|\n)\s*{word}\s*:"
    marked = rf"[`(\[]{word}[`)\]]"
    stated = rf"\b(?:repo|project)\s*:\s*{word}(?![\w/-])"
    return re.search(f"{headed}|{marked}|{stated}", text) is not None


def _called(spot: Spot) -> str:
    project, repo = spot
    return project.alias if len(project.repositories) == 1 else f"{project.alias}/{repo.name}"
