"""Gates for entries that a registry has already: which of them have none, and the document with those put in.

Nothing that a person wrote is changed: an entry whose `ops` names a gate, be it an empty one, is left as it is, and so
is one that leads to several folders, because one gate would be given to all of them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

#: Where an entry stands: its place in the list, or the key that it stands under.
Spot = int | str


def without_gate(document: Any) -> dict[Spot, str]:
    """The one path of each entry that has no gate and could be given one."""
    return {spot: path for spot, entry in _entries(document) if (path := _path(entry)) and _open(entry)}


def with_gates(document: Any, gates: Mapping[Spot, str]) -> Any:
    """A copy in which these entries have these gates. One that has a gate keeps its own."""
    made = copy.deepcopy(document)
    for spot, entry in _entries(made):
        if spot in gates and _path(entry) and _open(entry):
            entry["ops"] = (entry.get("ops") or {}) | {"gate": gates[spot]}
    return made


def _entries(document: Any) -> Iterator[tuple[Spot, dict[str, Any]]]:
    """Those that are objects, in either schema; a path alone has no room for a gate."""
    projects = document.get("projects", document) if isinstance(document, dict) else document
    if projects is document and isinstance(document, dict) and ("path" in document or "paths" in document):
        projects = [document]
    if isinstance(projects, dict):
        yield from ((key, one) for key, one in projects.items() if isinstance(one, dict))
    elif isinstance(projects, list):
        yield from ((number, one) for number, one in enumerate(projects) if isinstance(one, dict))


def _path(entry: Mapping[str, Any]) -> str:
    """The only one that it leads to; empty where there are several, or none."""
    paths = entry.get("paths", [entry["path"]] if "path" in entry else [])
    only = paths[0] if isinstance(paths, list) and len(paths) == 1 else paths
    return only if isinstance(only, str) else ""


def _open(entry: Mapping[str, Any]) -> bool:
    """Whether nobody has said anything about its gate."""
    ops = entry.get("ops")
    return ops is None or (isinstance(ops, dict) and "gate" not in ops)
