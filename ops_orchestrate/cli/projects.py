"""`projects`: what the registry gives, as the engine sees it, and what is skipped and why."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ops_orchestrate.cli.checkup import Check, exit_of, show
from ops_orchestrate.cli.tables import table
from ops_orchestrate.config import load_settings
from ops_orchestrate.core.project import Portfolio
from ops_orchestrate.report.amounts import count
from ops_orchestrate.wiring import portfolio


@click.command("projects")
@click.option("--registry", type=click.Path(path_type=Path), metavar="PATH", help="The registry file.")
@click.option("--project", metavar="ALIAS", help="Only this project.")
@click.option("--check", is_flag=True, help="Ask GitHub, Sentry and Linear about them, too; writes nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (docs/schemas.md).")
def command(registry: Path | None, project: str | None, check: bool, as_json: bool) -> int:
    """List projects, repositories, gates, and what is skipped: what `run` would work on from here.

    With --check the exit code is 1 where something must be mended before a run.
    """
    settings = load_settings()
    found = portfolio(settings, registry=registry, project=project)
    checks: list[Check] = []
    if check:
        from ops_orchestrate.cli.outside import examine_outside  # late: httpx is slow to import

        checks = list(examine_outside(settings, found))
    if as_json:
        asked = {"checks": [one.model_dump() for one in checks]} if check else {}
        click.echo(json.dumps({"version": 1, **found.model_dump(mode="json"), **asked}, ensure_ascii=False))
    else:
        _print(found)
        show(checks)
    return exit_of(checks)


def _print(found: Portfolio) -> None:
    click.echo(f"No registry: {found.origin} alone." if Path(found.origin).is_dir() else f"Registry: {found.origin}")
    rows = [
        (
            project.alias,
            repository.name,
            repository.slug or repository.upstream,
            repository.gate or "none",
            str(project.priority),
        )
        for project in found.projects
        for repository in project.repositories
    ]
    click.echo(table(("PROJECT", "REPOSITORY", "SHIPS TO", "GATE", "PRIORITY"), rows))
    if found.scope == "scoped" and found.out_of_scope:
        others = ", ".join(found.out_of_scope[:5]) + (" …" if len(found.out_of_scope) > 5 else "")
        click.echo(f"Out of scope here: {count(len(found.out_of_scope), 'project')} ({others}).")
    for line in found.warnings:
        click.echo(f"warning: {line}")
    for skipped in found.skipped:
        click.echo(f"skipped: {skipped.name}: {skipped.reason}")
