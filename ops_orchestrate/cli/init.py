"""`init`: a registry from the git repositories under some folders, with a gate proposed for each, to be accepted."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ops_orchestrate.adapters.discover import discover
from ops_orchestrate.adapters.gitplace import git_probe
from ops_orchestrate.config import load_settings
from ops_orchestrate.core.proposal import Candidate, registry_text
from ops_orchestrate.errors import UsageError


@click.command("init")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--registry", type=click.Path(path_type=Path), metavar="PATH", help="Write it here; default DATA_DIR/registry.json."
)
@click.option("--accept-gates", is_flag=True, help="Accept every proposed gate without being asked.")
def command(folders: tuple[Path, ...], registry: Path | None, accept_gates: bool) -> int:
    """Find repositories under FOLDERS and write a registry. An existing one is never overwritten."""
    settings = load_settings()
    target = registry or settings.registry or settings.data_dir / "registry.json"
    if target.exists():
        raise UsageError(f"{target} exists already: add entries to it by hand, or give --registry another path.")
    found = discover(folders, git_probe(settings))
    for skipped in found.skipped:
        click.echo(f"skipped: {skipped.name}: {skipped.reason}")
    if not found.candidates:
        raise UsageError("No git repository was found there; give a folder that holds some.")
    chosen = _gates(found.candidates, accept=accept_gates)
    _write(target, registry_text(chosen))
    click.echo(f"Wrote {target} with {len(chosen)} projects. Next: `ops-orchestrate plan`.")
    return 0


def _gates(candidates: Sequence[Candidate], *, accept: bool) -> list[Candidate]:
    """Each proposed gate, accepted or left out. Without a terminal and without --accept-gates none is accepted."""
    chosen = []
    for candidate in candidates:
        proposal = candidate.proposal
        if proposal is None:
            click.echo(f"{candidate.alias}: no gate proposed; without a gate its work is planned, never merged.")
            chosen.append(candidate)
            continue
        click.echo(f"{candidate.alias}: {proposal.gate}   ({proposal.reason})")
        yes = accept or (sys.stdin.isatty() and click.confirm("  accept this gate?", default=True))
        chosen.append(candidate if yes else candidate.model_copy(update={"proposal": None}))
    return chosen


def _write(target: Path, text: str) -> None:
    """All of it or nothing, readable by its owner only."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.chmod(0o600)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
