"""The audit source "github": every repository with a name on GitHub, a few at once.

A repository that nobody has looked at yet costs two requests. What was seen is kept: later, answers of 304 tell that it
is as it was, and where they cannot, one small query asks after many repositories at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from ops_orchestrate.adapters.github.actions import runs_at
from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.comparison import Comparison, Known
from ops_orchestrate.adapters.github.jobs import failed_run
from ops_orchestrate.adapters.github.kept import Kept, Memory
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.adapters.github.looking import look_at
from ops_orchestrate.core.finding import AuditPart, Finding
from ops_orchestrate.core.forge_closers import with_closers
from ops_orchestrate.core.forge_findings import SOURCE, forge_findings, merged_work, open_work, read_only
from ops_orchestrate.core.forge_look import FailedRun, ForgeLook
from ops_orchestrate.core.forge_signs import SETTLED
from ops_orchestrate.core.mark import Merged, OpenWork
from ops_orchestrate.core.merge.regression import Standing, WorkflowRun, red_workflows
from ops_orchestrate.core.names import is_branch, is_slug, one_line
from ops_orchestrate.core.project import Project, Repository, Skipped
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.errors import SourceUnavailable

_LOOKED_INTO = 5
"""Red workflows of one repository whose jobs are read."""


class _Place(NamedTuple):
    """A repository of a project."""

    project: Project
    repository: Repository

    @property
    def name(self) -> str:
        alone = len(self.project.repositories) == 1
        return self.project.alias if alone else f"{self.project.alias}/{self.repository.name}"


class GitHubSource:
    """Implements ports.Source."""

    name = SOURCE

    def __init__(
        self,
        client: GitHubClient,
        *,
        threads: int = 4,
        kept: Path | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`kept`: the folder for what was seen; None: it is known to this process only."""
        self._client = client
        self._threads = threads
        self._now = now
        self._memory = Memory(kept, now)
        self._comparison = Comparison(client, self._memory, now)

    def findings(self, projects: Sequence[Project], request: RunRequest) -> AuditPart:
        """What GitHub knows of these projects. A repository it does not tell of is unknown.

        Raises SourceUnavailable where it tells of none, all for the same reason.
        """
        del request
        places = [_Place(p, r) for p in projects for r in p.repositories if r.slug]
        good = {one.repository.slug.lower(): one.repository for one in places if one.repository.slug and _fit(one)}
        looks: dict[str, ForgeLook | SourceUnavailable] = {}
        covered = _covered(self._client) if good else None
        with ThreadPoolExecutor(self._threads, thread_name_prefix="github") as pool:
            known = self._comparison(list(good.values()), pool.map)
            for slug, look in zip(good, pool.map(self._look, known), strict=True):
                looks[slug] = look
        self._memory.tidy()
        return _part(places, {slug: _as_app(look, covered) for slug, look in looks.items()})

    def _look(self, known: Known) -> ForgeLook | SourceUnavailable:
        before = known.before
        try:
            kept = known.confirmed or self._looked(known)
            slug, branches = kept.look.slug, kept.look.branches
            runs, pages = runs_at(self._client, slug, branches, before.pages if before else {})
            failures = self._failures(slug, runs, branches, before.told if before else {})
        except SourceUnavailable as error:
            return error
        told = {_key(run): failures[run.id] for run in runs if run.id in failures}
        kept = kept.model_copy(update={"pages": dict(pages), "told": told})
        if kept != before:
            self._memory.put(known.name, kept)
        return kept.look.model_copy(update={"runs": runs, "failures": failures})

    def _looked(self, known: Known) -> Kept:
        """A new look. What was changed a moment ago may be changed once more without another time: that is not kept."""
        at = self._now()
        seen = look_at(self._client, known.repository)
        trace = seen.trace if at - seen.newest > SETTLED else ""
        return Kept(look=seen.look, trace=trace, at=at, row=known.row, lately=known.lately)

    def _failures(
        self, slug: str, runs: Sequence[WorkflowRun], branches: Sequence[str], told: Mapping[str, FailedRun]
    ) -> dict[int, FailedRun]:
        """Red runs looked into, so that no agent is paid for a runner that broke. Each is read once: it has ended."""
        red = [one.latest for one in red_workflows(runs, branches) if one.standing is not Standing.SKIP]
        return {run.id: told.get(_key(run)) or failed_run(self._client, slug, run) for run in red[:_LOOKED_INTO]}


def _part(places: Sequence[_Place], looks: dict[str, ForgeLook | SourceUnavailable]) -> AuditPart:
    found: list[Finding] = []
    merged: list[Merged] = []
    opened: list[OpenWork] = []
    unknown: list[Skipped] = []
    errors: list[SourceUnavailable] = []
    closed: dict[str, str] = {}
    looks = {**looks, **with_closers({slug: look for slug, look in looks.items() if isinstance(look, ForgeLook)})}
    for place in places:
        look = looks.get(str(place.repository.slug).lower())
        if isinstance(look, ForgeLook):
            found.extend(forge_findings(place.project, place.repository, look))
            merged += merged_work(place.project, look)
            opened += open_work(place.project, place.repository, look)
            closed |= {place.repository.key: why} if (why := read_only(look)) else {}
            continue
        reason = str(look) if look else f"{one_line(str(place.repository.slug), 80)!r} is no name on GitHub"
        errors += [look] if look else []
        unknown.append(Skipped(name=place.name, reason=one_line(reason, 400)))
    if errors and len(errors) == len(places) and len({str(error) for error in errors}) == 1:
        raise SourceUnavailable(str(errors[0]), retry_after=errors[0].retry_after)
    return AuditPart(
        part=SOURCE,
        findings=tuple(found),
        merged=tuple(merged),
        opened=tuple(opened),
        unknown=tuple(unknown),
        read_only=closed,
    )


def _covered(client: GitHubClient) -> frozenset[str] | None:
    """What an App is installed for, in lower case; None: we act as a person. Raises SourceUnavailable."""
    if not client.identity.bot:
        return None
    listed = client.pages("/installation/repositories", Purpose.AUDIT, inside="repositories")
    return frozenset(str(one.get("full_name")).lower() for one in listed if isinstance(one, dict))


def _as_app(look: ForgeLook | SourceUnavailable, covered: frozenset[str] | None) -> ForgeLook | SourceUnavailable:
    """An App may write where it is installed; what GitHub calls a viewer's permission is a person's."""
    if covered is None or not isinstance(look, ForgeLook):
        return look
    return look.model_copy(update={"writable": look.slug.lower() in covered})


def _fit(place: _Place) -> bool:
    names = (place.repository.integration or "dev", place.repository.main or "main")
    return is_slug(str(place.repository.slug)) and all(is_branch(name) for name in names)


def _key(run: WorkflowRun) -> str:
    return f"{run.id}.{run.attempt}"
