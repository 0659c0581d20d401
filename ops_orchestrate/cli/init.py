"""`init`: a registry from the git repositories under some folders, with a gate proposed for each, to be accepted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from ops_orchestrate.adapters.discover import discover
from ops_orchestrate.adapters.github.address import web_host
from ops_orchestrate.adapters.gitplace import git_probe
from ops_orchestrate.adapters.state_dir import cannot_write
from ops_orchestrate.cli.init_later import fill_gates
from ops_orchestrate.cli.screen import agreed, at_terminal
from ops_orchestrate.config import Settings, load_settings
from ops_orchestrate.core.proposal import Candidate, registry_text
from ops_orchestrate.errors import UsageError
from ops_orchestrate.report.amounts import count


@click.command("init")
@click.argument("folders", metavar="FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--registry", type=click.Path(path_type=Path), metavar="PATH", help="Write it here; default DATA_DIR/registry.json."
)
@click.option("--accept-gates", is_flag=True, help="Accept every proposed gate without being asked.")
def command(folders: tuple[Path, ...], registry: Path | None, accept_gates: bool) -> int:
    """Find git repositories under each FOLDER and write a registry.

    Where there is one already, only entries without a gate are given one; nothing that stands in it is changed.

    A gate is a command that is run: each proposal is asked about at a terminal, and left out where there is none,
    unless --accept-gates is given.
    """
    settings = load_settings()
    target = (registry or settings.registry or settings.data_dir / "registry.json").expanduser().absolute()
    known = target.exists()
    if known and not (accept_gates or at_terminal()):
        raise UsageError(
            f"{target} exists already: --accept-gates gives its entries the gates that they lack; add entries by hand, "
            "or give --registry another path."
        )
    found = discover(folders, git_probe(settings), github=web_host(settings.github_api_url))
    for skipped in found.skipped:
        click.echo(f"skipped: {skipped.name}: {skipped.reason}")
    if not found.candidates:
        where = ", ".join(map(str, folders))
        raise UsageError(f"There is no git repository in {where}; name a folder that holds some.")
    if known:
        click.echo(fill_gates(target, found.candidates, lambda those: _gates(those, accept=accept_gates), _write))
        return 0
    chosen = _gates(found.candidates, accept=accept_gates)
    _write(target, registry_text(chosen))
    click.echo(_told(target, chosen, found.candidates, settings))
    return 0


def _gates(candidates: Sequence[Candidate], *, accept: bool) -> list[Candidate]:
    """Each proposed gate, accepted or left out. Without a terminal and without --accept-gates none is accepted."""
    chosen = []
    for candidate in candidates:
        proposal = candidate.proposal
        if proposal is None:
            click.echo(
                f"{candidate.alias}: no gate is proposed; give it one as `ops.gate`, or nothing of it is merged."
            )
            chosen.append(candidate)
            continue
        click.echo(f"{candidate.alias}: {proposal.gate}   ({proposal.reason})")
        yes = accept or (at_terminal() and agreed("  accept this gate?"))
        chosen.append(candidate if yes else candidate.model_copy(update={"proposal": None}))
    return chosen


def _told(target: Path, chosen: Sequence[Candidate], offered: Sequence[Candidate], settings: Settings) -> str:
    gates = sum(1 for candidate in chosen if candidate.proposal)
    declined = sum(1 for candidate in offered if candidate.proposal) - gates
    lines = [f"Wrote {target}: {count(len(chosen), 'project')}, {count(gates, 'gate')}."]
    if declined:
        why = (
            "not accepted" if at_terminal() else "not accepted, because there is no terminal to ask at (--accept-gates)"
        )
        lines.append(f"{count(declined, 'proposed gate')} {why}: without a gate nothing of a project is merged.")
    usual = settings.registry or settings.data_dir / "registry.json"
    where = "" if target == usual.expanduser().absolute() else f" --registry {target}"
    lines.append(f"Next: `ops-orchestrate doctor`, then `ops-orchestrate plan{where}`.")
    return "\n".join(lines)


def _write(target: Path, text: str) -> None:
    """All of it or nothing, readable by its owner only. Raises OpsError."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)
    except OSError as error:
        raise cannot_write(target, error) from error
    finally:
        draft.unlink(missing_ok=True)
