"""What the registry has now for a repository of a run: from the file of its start, else where one is found."""

from __future__ import annotations

import os
from pathlib import Path

from ops_orchestrate.adapters.github.address import web_host
from ops_orchestrate.adapters.gitplace import Probe
from ops_orchestrate.adapters.registry import RegistryMissing, find_registry, read_registry
from ops_orchestrate.adapters.registry_disk import Disk
from ops_orchestrate.config import Settings
from ops_orchestrate.core.project import Portfolio, Repository
from ops_orchestrate.core.regate import Registered


def registered(settings: Settings, probe: Probe, portfolio: Portfolio, key: str) -> Registered:
    """The repository `key` of a run over `portfolio`, by the registry as it is on this machine now.

    Raises RegistryError: it cannot be read, or others may write to it.
    """
    path = Path(portfolio.origin)
    if not (path.is_absolute() and path.is_file()):  # of another machine, gone, or a run from inside a repository
        try:
            path = find_registry(settings)
        except RegistryMissing as error:
            return Registered(origin="", digest="", repository=None, missing=str(error))
    file, digest = read_registry(path)
    home = Path(os.path.realpath(Path.home()))
    github = web_host(settings.github_api_url)
    disk = Disk(probe, base=path.resolve().parent, home=home, origin=str(path), github=github)
    alias = next((one.alias for one in portfolio.projects for two in one.repositories if two.key == key), "")
    its_own = [entry for entry in file.entries if entry.alias == alias]
    found: Repository | None = None
    for entries in (its_own, file.entries):  # one entry is soon looked up; a renamed one is found among all
        projects = disk.resolve(entries, shelved=True).projects
        found = next((one for project in projects for one in project.repositories if one.key == key), None)
        if found is not None:
            break
    return Registered(origin=str(path), digest=digest, repository=found)
