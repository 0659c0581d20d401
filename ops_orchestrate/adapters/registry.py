"""From the registry file to the portfolio of a run: where it is found, who may write it, what is in scope.

Scope: `--project ALIAS` wins, then the git repository the command stands in (registered or not), else
every project. The file is read once; a run never looks at it again.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ops_orchestrate.adapters.github.address import web_host
from ops_orchestrate.adapters.gitplace import GitPlace, Probe
from ops_orchestrate.adapters.registry_disk import Disk, Findings, Spot, repository_key
from ops_orchestrate.adapters.services import read_services
from ops_orchestrate.adapters.topics import read_topics
from ops_orchestrate.config import Settings
from ops_orchestrate.core.names import is_name, one_line, slugify
from ops_orchestrate.core.nearest import did_you_mean
from ops_orchestrate.core.project import IssueSource, Portfolio, Project
from ops_orchestrate.core.registry import Entry, RegistryFile, parse_registry
from ops_orchestrate.core.remote import remote_name
from ops_orchestrate.core.services import Services
from ops_orchestrate.core.strict_json import LIMIT
from ops_orchestrate.core.topics import with_topics
from ops_orchestrate.errors import RegistryError, UsageError

INIT = "`ops-orchestrate init FOLDER…` makes one."


class RegistryMissing(RegistryError):
    """There is no registry in any of the usual places."""


def find_registry(settings: Settings, flag: Path | None = None) -> Path:
    """The registry file: `--registry`, OPS_REGISTRY, the data folder's, the plugin's. The first one counts.

    Raises RegistryError: a file that was asked for is missing; RegistryMissing: there is none, with all the
    places that were looked at.
    """
    asked = flag or settings.registry
    if asked is not None:
        path = asked.expanduser().absolute()
        if not path.exists():
            named = "--registry" if flag else "OPS_REGISTRY"
            raise RegistryError(f"{path}, given with {named}, does not exist. {INIT}")
        return path
    places = [settings.data_dir / "registry.json"]
    if settings.plugin_root is not None:
        places.append(settings.plugin_root / "scripts" / "registry.json")
    for place in places:
        if place.exists():
            return place
    looked = ", ".join(str(place) for place in places)
    raise RegistryMissing(f"There is no registry. Looked at: {looked}. {INIT}")


def read_registry(path: Path) -> tuple[RegistryFile, str]:
    """The parsed file and the SHA-256 of its bytes.

    Raises RegistryError: it cannot be read, others may write to it, or what is in it cannot be used.
    """
    try:
        with path.open("rb") as file:
            _check_owner(path, os.fstat(file.fileno()))
            data = file.read(LIMIT + 1)
    except OSError as bad:
        raise RegistryError(f"{path} cannot be read: {bad.strerror}.") from None
    return parse_registry(data, origin=str(path)), sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class Loaded:
    """A registry that was read, or the lack of one."""

    file: RegistryFile
    digest: str
    origin: str
    base: Path
    """Relative paths start here."""


def load_portfolio(
    settings: Settings,
    probe: Probe,
    flag: Path | None = None,
    cwd: Path | None = None,
    project: str | None = None,
) -> Portfolio:
    """What a run works on. `cwd` is where the command stands; `project` is the value of `--project`.

    Raises RegistryError (the file), UsageError (an alias that is not in it, an impossible setting), GitError (git
    refuses to look at the folder the command stands in).
    """
    home = Path(os.path.realpath(Path.home()))
    here = None if project is not None or cwd is None else _standing_in(cwd, probe, home)
    loaded = _load(settings, flag, here)
    disk = Disk(probe, base=loaded.base, home=home, origin=loaded.origin, github=web_host(settings.github_api_url))
    if project is not None:
        return _named(settings, project, loaded, disk)
    if here is not None:
        return _standing(settings, here, loaded, disk)
    if not loaded.file.entries:
        raise RegistryError(f"{loaded.origin} lists no projects. {INIT}")
    found = disk.resolve(loaded.file.entries, shelved=False)
    return _portfolio(settings, loaded, found)


def _load(settings: Settings, flag: Path | None, here: GitPlace | None) -> Loaded:
    """The registry; inside a repository, none is needed."""
    try:
        path = find_registry(settings, flag)
    except RegistryMissing:
        if here is None:
            raise
        nothing = RegistryFile(entries=())
        return Loaded(nothing, sha256(b"").hexdigest(), here.main_checkout, Path(here.main_checkout))
    file, digest = read_registry(path)
    return Loaded(file, digest, str(path), path.resolve().parent)


def _standing_in(cwd: Path, probe: Probe, home: Path) -> GitPlace | None:
    """The repository the command stands in; None in the home folder itself, even if that is a repository."""
    real = Path(os.path.realpath(cwd))
    if real == home:
        return None
    place = probe(real)
    if place is None or Path(os.path.realpath(place.main_checkout)) == home:
        return None
    if place.bare and place.toplevel == place.common_dir:
        raise UsageError(f"{real} is a bare repository; stand in a checkout, or name a project with --project.")
    return place


def _named(settings: Settings, alias: str, loaded: Loaded, disk: Disk) -> Portfolio:
    entry = next((one for one in loaded.file.entries if one.alias == alias), None)
    if entry is None:
        aliases = [one.alias for one in loaded.file.entries]
        hint = did_you_mean(alias, aliases) or f" `ops-orchestrate projects` lists all {len(aliases)}."
        raise UsageError(f'No project "{one_line(alias, 60)}" in {loaded.origin}.{hint}')
    return _portfolio(settings, loaded, disk.resolve([entry], shelved=True), scoped=True)


def _standing(settings: Settings, here: GitPlace, loaded: Loaded, disk: Disk) -> Portfolio:
    """The project of the repository the command stands in, or one made on the spot."""
    spot = disk.spot(here)
    found = disk.resolve(loaded.file.entries, shelved=True)
    mine = next((one for one in found.projects if _holds(one, spot)), None)
    if mine is None:
        folder = remote_name(spot.identity).removesuffix(".git")
        alias = folder if is_name(folder) else slugify(folder)
        found = disk.resolve([Entry(alias=alias, alias_written=False, paths=(here.toplevel,))], shelved=True)
        found.warnings.append(
            f"{spot.checkout} is not in the registry: it is worked on as project {alias}, with no gate "
            f"and no settings of its own. {_how_to_add(spot.checkout, loaded)}"
        )
        return _portfolio(settings, loaded, found, scoped=True)
    found.projects = [mine]
    found.skipped = [one for one in found.skipped if one.name == mine.alias]
    found.warnings = [one for one in found.warnings if one.startswith(f"{mine.alias}: ")]
    found.issue_sources = []
    return _portfolio(settings, loaded, found, scoped=True)


def _how_to_add(checkout: str, loaded: Loaded) -> str:
    if loaded.file.entries:
        return f"An entry in {loaded.origin} gives it some."
    return f"`ops-orchestrate init {checkout}` makes a registry that does."


def _holds(project: Project, spot: Spot) -> bool:
    key = repository_key(remote_name(spot.identity).removesuffix(".git"), spot.identity)
    return any(
        repository.key == key or spot.checkout in (repository.path, *repository.checkouts)
        for repository in project.repositories
    )


def _portfolio(settings: Settings, loaded: Loaded, found: Findings, *, scoped: bool = False) -> Portfolio:
    here = {project.alias for project in found.projects}
    others = [entry for entry in loaded.file.entries if entry.alias not in here] if scoped else []
    # A team of the whole registry may have tickets for the one project, too; one made on the spot is nobody's yet.
    registered = any(entry.alias in here for entry in loaded.file.entries)
    shared = [_issue_source(entry) for entry in others if entry.issues_only and registered]
    services = read_services(Path.home())
    return Portfolio(
        origin=loaded.origin,
        digest=loaded.digest,
        scope="scoped" if scoped else "global",
        projects=with_topics([_served(one, services) for one in found.projects], read_topics(settings)),
        skipped=tuple(found.skipped),
        warnings=(*loaded.file.warnings, *found.warnings, *services.warnings),
        issue_sources=(*found.issue_sources, *shared),
        out_of_scope=tuple(entry.alias for entry in others),
        elsewhere=tuple(_issue_source(entry) for entry in others if entry.paths and _issue_source(entry).named),
    )


def _served(project: Project, services: Services) -> Project:
    """The project with what the services file knows of its repositories."""
    found = tuple(one.model_copy(update={"deployed": services.of(one.slug)}) for one in project.repositories)
    return project.model_copy(update={"repositories": found})


def _issue_source(entry: Entry) -> IssueSource:
    chosen = entry.settings
    return IssueSource(alias=entry.alias, linear_team=chosen.linear_team, sentry_project=chosen.sentry_project)


def _check_owner(path: Path, seen: os.stat_result) -> None:
    """The registry holds commands that are run: nobody else may be able to write it."""
    if not stat.S_ISREG(seen.st_mode):
        raise RegistryError(f"{path} is not a file.")
    if seen.st_uid not in (os.getuid(), 0):
        raise RegistryError(
            f"{path} belongs to another user (uid {seen.st_uid}) and holds commands that would be run here. "
            f"Make it yours: cp {path} {path}.mine && mv -f {path}.mine {path} && chmod 600 {path}"
        )
    if seen.st_mode & stat.S_IWOTH:
        raise RegistryError(
            f"{path} can be written by everybody on this host and holds commands that would be run. "
            f"Close it: chmod o-w {path}"
        )
