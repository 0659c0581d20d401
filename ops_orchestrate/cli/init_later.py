"""`init` where there is a registry already: gates for entries that have none. Everything else in it stays."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ops_orchestrate.adapters.registry import read_registry
from ops_orchestrate.core.gate_filling import Spot, with_gates, without_gate
from ops_orchestrate.core.proposal import Candidate
from ops_orchestrate.core.strict_json import decode_text, load_json
from ops_orchestrate.errors import RegistryError
from ops_orchestrate.report.amounts import count

Choose = Callable[[Sequence[Candidate]], list[Candidate]]
Write = Callable[[Path, str], None]


def fill_gates(target: Path, found: Sequence[Candidate], choose: Choose, write: Write) -> str:
    """Put the gates that are accepted into the registry `target`; what was done, in words.

    `found` are the repositories below the folders that were named. Raises RegistryError, OpsError.
    """
    read_registry(target)  # whoever else may write to it, or a registry that no run could read, is not filled in
    before = target.read_bytes()
    document = load_json(before, origin=str(target), error=RegistryError)
    spots = {_real(path, target): spot for spot, path in without_gate(document).items()}
    meant = [one for one in found if _real(one.path, target) in spots]
    gates: dict[Spot, str] = {
        spots[_real(one.path, target)]: one.proposal.gate for one in choose(meant) if one.proposal is not None
    }
    told = [f"{one.alias}: it has a gate, or no entry of its own in {target}: left as it is." for one in found]
    others = [line for line, one in zip(told, found, strict=True) if one not in meant]
    if gates:
        if target.read_bytes() != before:
            raise RegistryError(f"{target} has changed meanwhile: run it once more.")
        place, mode = target.resolve(), target.stat().st_mode & 0o777
        write(place, _text(with_gates(document, gates), decode_text(before, origin="", error=RegistryError)))
        place.chmod(mode)
    done = f"Gave {count(len(gates), 'entry', 'entries')} of {target} a gate; nothing else in it was changed."
    return "\n".join([*others, done if gates else f"No gate was put into {target}."])


def _real(path: str, target: Path) -> str:
    """Relative paths start at the registry."""
    return os.path.realpath(target.parent / Path(path).expanduser())


def _text(document: object, before: str) -> str:
    """As wide as it was written."""
    indent = re.search(r"^[\[{]\s*\n([ \t]+)", before)
    found = json.dumps(document, indent=indent.group(1) if indent else 2, ensure_ascii=False)
    return f"{found}\n"
