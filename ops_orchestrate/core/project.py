"""Projects and their repositories, as the registry gives them and the disk confirms them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ops_orchestrate.core.value import Value


class Deployed(Value):
    """Where one branch of a repository is deployed, as the owner's services file has it."""

    branch: str
    health_url: str | None = None
    version_url: str | None = None


class GateSetting(Value):
    """A gate as a registry entry has it: the command, and what it runs with."""

    gate: str
    gate_seconds: int
    gate_network: bool
    gate_hosts: tuple[str, ...]


class Repository(Value):
    """One git repository of a project: what the engine may read, work on and ship to."""

    key: str
    """Identity over all projects and hosts, safe as a folder name; ownership and mirrors go by it."""
    name: str
    """Short name for people; unique within its project."""
    path: str
    """The canonical checkout on this host, absolute."""
    checkouts: tuple[str, ...] = ()
    """Other checkouts of the same repository: audited, never written."""
    upstream: str
    """Where the mirror fetches from and changes are shipped to: the remote's URL without credentials, or the
    repository's own path when it has no remote."""
    slug: str | None = None
    """`owner/name` on GitHub, where it has one."""
    integration: str | None = None
    """The owner's integration branch; None: `dev`, else the remote's default branch."""
    main: str | None = None
    """The branch promoted to; None: `main`, else `master`, else none."""
    gate: str | None = None
    """The quality gate, one shell line, from the owner's registry only."""
    gate_seconds: int = 1800
    """Time limit of the gate."""
    gate_network: bool = False
    """Whether the gate shares the host's whole network."""
    gate_hosts: tuple[str, ...] = ()
    """Hosts that the gate reaches over HTTPS without a network."""
    ci: Literal["none", "expected"] | None = None
    """`none`: the owner says that there is no CI and the gate is enough to merge into integration."""
    sensitive: tuple[str, ...] = ()
    """Globs of paths that need a review by a person, beside the built-in ones."""
    expected_checks: tuple[str, ...] = ()
    skippable_checks: tuple[str, ...] = ()
    unprotected_ok: bool = False
    """The owner accepts merges into branches that no rule of the forge protects."""
    health_url: str | None = None
    """Asked after a merge into the branch that is deployed: main, else integration."""
    version_url: str | None = None
    """Says which commit is served, likewise."""
    deployed: tuple[Deployed, ...] = ()
    """What the services file knows, for where the registry does not say."""
    promote: bool = True
    """Whether integration is promoted to main at the end of a run (where the two differ)."""

    @property
    def gate_setting(self) -> GateSetting | None:
        """The gate and what it runs with; None where it has none."""
        gate = (self.gate or "").strip()
        if not gate:
            return None
        return GateSetting(
            gate=gate,
            gate_seconds=self.gate_seconds,
            gate_network=self.gate_network,
            gate_hosts=self.gate_hosts,
        )

    def with_gate(self, setting: GateSetting) -> Repository:
        """The repository with this gate instead of its own."""
        return self.model_copy(update=dict(setting))

    def deployed_at(self, branch: str) -> Deployed:
        """What can be asked about a branch: the registry's URLs, else those of the services file."""
        known = next((one for one in self.deployed if one.branch == branch), Deployed(branch=branch))
        said = {"health_url": self.health_url, "version_url": self.version_url}
        return known.model_copy(update={name: url for name, url in said.items() if url})


class Project(Value):
    """One entry of the registry with at least one repository found on disk."""

    alias: str
    repositories: tuple[Repository, ...]
    priority: int = 99
    """1 to 99, lower is more important."""
    stage: str | None = None
    """The seed's revenue stage (`growth`, `production`, …): breaks ties of priority."""
    consumes: tuple[str, ...] = ()
    """Aliases of projects whose output this one uses: a change there comes before one here."""
    planning: bool = False
    """Whether it keeps `.planning/` files."""
    linear_team: str | None = None
    sentry_project: str | None = None
    day_usd: float | None = None
    """What it may cost in a day, in dollars, and `day_tokens` what it may use; None: as the settings say."""
    day_tokens: int | None = None
    deadline: str | None = None
    """ISO date from the topics file (priority context; untrusted)."""


class Skipped(Value):
    """An entry, a path or a source that is left out, and why: a plan is never silently empty."""

    name: str
    reason: str


class IssueSource(Value):
    """An entry of the registry, as far as it names where issues are found."""

    alias: str
    linear_team: str | None = None
    sentry_project: str | None = None

    @property
    def named(self) -> bool:
        """Whether it names any such place."""
        return bool(self.linear_team or self.sentry_project)


class Portfolio(Value):
    """What a run works on: the snapshot of the registry taken at its start."""

    origin: str
    """Where the registry was read, or which repository the command stands in."""
    digest: str
    """SHA-256 of the file's bytes: a registry edited in the middle of a run is not noticed by that run, but for a gate
    that a person's answer takes from it (core/regate.py)."""
    scope: Literal["global", "scoped"] = "global"
    projects: tuple[Project, ...]
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()
    issue_sources: tuple[IssueSource, ...] = ()
    """Entries without a repository that only name where issues are found."""
    out_of_scope: tuple[str, ...] = ()
    """Aliases of the registry that a scoped run leaves alone."""
    elsewhere: tuple[IssueSource, ...] = ()
    """Where those find their issues: a team that they share with this run's projects may mean them."""

    def with_gates(self, gates: Mapping[str, GateSetting]) -> Portfolio:
        """The portfolio with these gates, by the keys of their repositories."""
        if not gates:
            return self
        projects = tuple(
            project.model_copy(
                update={
                    "repositories": tuple(
                        one.with_gate(gates[one.key]) if one.key in gates else one for one in project.repositories
                    )
                }
            )
            for project in self.projects
        )
        return self.model_copy(update={"projects": projects})

    def repository(self, key: str) -> Repository:
        """The repository of that key; KeyError if the portfolio has none."""
        for project in self.projects:
            for repository in project.repositories:
                if repository.key == key:
                    return repository
        raise KeyError(key)
