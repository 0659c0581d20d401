"""Looks at GitHub, Sentry and Linear, for `doctor` and `projects --check`: set up, answering, allowed to push?

Only what the registry leads to is asked, each once, and nothing is written anywhere. No line holds a secret's value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from ops_orchestrate.adapters.credential import NotSetUp
from ops_orchestrate.adapters.linear.client import linear_client
from ops_orchestrate.adapters.sentry.client import sentry_client
from ops_orchestrate.cli.checkup import Check
from ops_orchestrate.cli.outside_github import examine_github
from ops_orchestrate.config import Settings
from ops_orchestrate.core.project import IssueSource, Portfolio, Project
from ops_orchestrate.errors import OpsError, SourceUnavailable, UsageError
from ops_orchestrate.ports import Secrets
from ops_orchestrate.wiring.outside import Outside

#: Seconds that one answer may take here: a person waits for it.
_PATIENCE = 10.0
_MOST = 50
_AT_ONCE = 4

Ask = Callable[[Settings, Secrets, str], str]


def examine_outside(settings: Settings, found: Portfolio) -> Iterator[Check]:
    """Every place; an impossible setting is a problem, everything else is at worst a warning: a run goes on without."""
    hasty = settings.model_copy(
        update={
            "github_timeout": min(_PATIENCE, settings.github_timeout),
            "source_timeout": min(_PATIENCE, settings.source_timeout),
        }
    )
    outside = Outside(hasty)
    looks: tuple[tuple[str, Callable[[], Iterator[Check]]], ...] = (
        ("github", lambda: examine_github(outside, found)),
        ("sentry", lambda: _tracker("sentry", "sentry_project", _ask_sentry, outside, found)),
        ("linear", lambda: _tracker("linear", "linear_team", _ask_linear, outside, found)),
    )
    for what, look in looks:
        try:
            yield from look()
        except OpsError as error:
            state: Literal["warning", "problem"] = "problem" if isinstance(error, UsageError) else "warning"
            yield Check(what=what, state=state, found=str(error))


def _tracker(what: str, key: str, ask: Ask, outside: Outside, found: Portfolio) -> Iterator[Check]:
    """Sentry or Linear: one line on the whole, one for each name that is not fine."""
    named: list[Project | IssueSource] = [*found.projects, *found.issue_sources]
    names = sorted({str(name) for one in named if (name := getattr(one, key))})
    if not names:
        yield Check(what=what, state="ok", found=f"not asked: no entry of the registry has `{key}`")
        return
    asked = names[:_MOST]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        said = list(pool.map(lambda name: _said(ask, outside, name), asked))
    if len(set(said)) == 1 and said[0]:  # the same for all of them: nothing about any one
        yield Check(what=what, state="warning", found=said[0], remedy=_REMEDY)
        return
    fine = len([why for why in said if not why])
    rest = f", {len(names) - len(asked)} not asked" if len(names) > len(asked) else ""
    yield Check(what=what, state="ok", found=f"answers, for {fine} of {len(names)} ({key}){rest}")
    for name, why in zip(asked, said, strict=True):
        if why:
            yield Check(what=f"{what} {name}", state="warning", found=why)


_REMEDY = "Its findings are unknown to a run until it answers; docs/operating.md says what it needs."


def _said(ask: Ask, outside: Outside, name: str) -> str:
    """Why it is not to be had; empty where it is."""
    try:
        return ask(outside.settings, outside.secrets, name)
    except NotSetUp as why:
        return f"not set up: {why}"
    except SourceUnavailable as error:
        return str(error)


def _ask_sentry(settings: Settings, secrets: Secrets, project: str) -> str:
    with sentry_client(settings, secrets) as client:
        client.reach(project)
    return ""


def _ask_linear(settings: Settings, secrets: Secrets, team: str) -> str:
    with linear_client(settings, secrets) as client:
        return "" if client.has_team(team.upper()) else f"Linear shows us no team with the key {team}"
