"""Reads `post-merge-services.json`: the owner's own, below the home folder, and never one that a repository brings.

A repository's file could send us, with every look at a deployment, to an address of its choice.
"""

from __future__ import annotations

from pathlib import Path

from ops_orchestrate.adapters.textfile import read_if_there
from ops_orchestrate.core.services import LIMIT, Services, parse_services
from ops_orchestrate.errors import RegistryError

PLACE = Path(".claude") / "config" / "post-merge-services.json"


def read_services(home: Path) -> Services:
    """What the file below `home` says; nothing where there is none. Never raises: what is odd is a warning."""
    path = home / PLACE
    try:
        data = read_if_there(path, LIMIT, RegistryError)
    except RegistryError as bad:
        return Services(warnings=(str(bad),))
    return Services() if data is None else parse_services(data, origin=str(path))
