"""The other side of the curtain, for tests in the same process: people, repositories, rules, time, faults.

What happens to pull requests, issues and CI is in `control_work`; both together are `Control`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops_orchestrate.standin.faults import Fault
from ops_orchestrate.standin.git import ZERO, Bare
from ops_orchestrate.standin.journal import Journal
from ops_orchestrate.standin.people import LEVELS, App, Installation, Token, User
from ops_orchestrate.standin.profile import JobPlan, Profile, StatusPlan
from ops_orchestrate.standin.repository import Protection, Repository
from ops_orchestrate.standin.server import Door
from ops_orchestrate.standin.tide import Tide
from ops_orchestrate.standin.world import World


class Curtain:
    """Sets the stage. Repositories are named `owner/name`; unknown ones raise KeyError."""

    def __init__(self, world: World, tide: Tide, door: Door) -> None:
        self.world = world
        self.tide = tide
        self._door = door

    @property
    def journal(self) -> Journal:
        """Everything that was asked and that happened."""
        return self.world.journal

    def repository(self, name: str) -> Repository:
        """A repository. Raises KeyError."""
        found = self.world.find(name)
        if found is None:
            raise KeyError(f"no repository {name!r} on the stand-in")
        return found

    def add_user(self, login: str, token: str | None = None, name: str = "") -> User:
        """A person, and a token of theirs."""
        with self.world.lock:
            user = self.world.user(login)
            user.name = name or user.name
            if token:
                self.world.tokens[token] = Token(user)
            return user

    def add_app(self, slug: str, public_key: str, permissions: Mapping[str, str] | None = None) -> App:
        """A GitHub App with the public half of its key (PEM)."""
        with self.world.lock:
            number, node = self.world.ids("A")
            app = App(
                number, node, slug, self.world.user("github", "Organization"), public_key, dict(permissions or {})
            )
            self.world.apps[number] = app
            return app

    def install(self, app: App, account: str, repositories: list[str] | None = None) -> Installation:
        """Install an app on an account, for all repositories or for some."""
        with self.world.lock:
            chosen = None if repositories is None else frozenset(repositories)
            wanted = {"contents": "write", "pull_requests": "write", "metadata": "read"} | app.permissions
            one = Installation(self.world.next_id(), app, self.world.user(account), chosen, wanted)
            self.world.installations[one.id] = one
            return one

    def add_repository(
        self,
        name: str,
        source: Path | None = None,
        files: Mapping[str, str] | None = None,
        *,
        default: str = "main",
        private: bool = True,
        organization: bool = False,
        parent: str | None = None,
    ) -> Repository:
        """A repository from a git repository, or with one commit of these files on its default branch."""
        with self.world.lock:
            owner, _, short = name.partition("/")
            number, node = self.world.ids("R")
            path = self.world.folder / f"{number}.git"
            now, account = self.world.now(), self.world.user(owner, "Organization" if organization else "User")
            above = self.repository(parent) if parent else None
            repository = Repository(number, node, account, short, _bare(path, source, above, default), now, now)
            repository.default_branch, repository.private, repository.parent = default, private, above
            if not repository.bare.refs() and files is not None:
                commit = repository.bare.write_files(None, files, "First commit\n", (account.login, account.email))
                repository.bare.move(f"refs/heads/{default}", commit, ZERO)
            repository.refs = repository.bare.refs()
            self.world.repositories[name.lower()] = self.world.keep(repository)
            return repository

    def permit(self, name: str, login: str, level: str) -> None:
        """Give somebody a level on a repository: none, read, triage, write, maintain, admin."""
        if level not in LEVELS:
            raise ValueError(f"no level {level!r}; there are {', '.join(LEVELS)}")
        with self.world.lock:
            self.world.user(login)
            self.repository(name).members[login.lower()] = level

    def protect(self, name: str, pattern: str, **rules: Any) -> Protection:
        """Rules in front of branches; the fields of `Protection`. Checks are names or (name, app) pairs."""
        with self.world.lock:
            checks = [(one, None) if isinstance(one, str) else (one[0], one[1]) for one in rules.pop("checks", [])]
            one = Protection(pattern, self.world.next_id(), checks=checks, **rules)
            self.repository(name).protections.append(one)
            return one

    def unprotect(self, name: str) -> None:
        """Take all rules away."""
        with self.world.lock:
            self.repository(name).protections.clear()

    def change_repository(self, name: str, **fields: Any) -> None:
        """Set fields of `Repository`: archived, private, allow, allow_auto_merge, delete_branch_on_merge…"""
        with self.world.lock:
            repository = self.repository(name)
            for key, value in fields.items():
                if not hasattr(repository, key):
                    raise ValueError(f"a repository has no field {key!r}")
                setattr(repository, key, set(value) if key == "allow" else value)

    def rename(self, name: str, new: str) -> None:
        """Rename or transfer it; the old name leads on to the new one."""
        with self.world.lock:
            repository = self.repository(name)
            owner, _, short = new.partition("/")
            repository.owner, repository.name = self.world.user(owner), short
            self.world.repositories[new.lower()] = self.world.repositories.pop(name.lower())
            self.world.renamed[name.lower()] = new.lower()

    def delete(self, name: str) -> None:
        """It is gone: 404."""
        with self.world.lock:
            self.repository(name)
            del self.world.repositories[name.lower()]

    def ci(self, name: str, profile: Profile | None = None, **fields: Any) -> Profile:
        """Let CI run on a repository's events; a `Profile`, or its fields (jobs as `JobPlan`, mapping or name)."""
        with self.world.lock:
            if profile is None:
                jobs = tuple(_plan(JobPlan, "name", one) for one in fields.pop("jobs", ["test"]))
                statuses = tuple(_plan(StatusPlan, "context", one) for one in fields.pop("statuses", []))
                fields = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
                profile = Profile(jobs=jobs, statuses=statuses, **fields)
            self.repository(name).profiles.append(profile)
            return profile

    def fault(self, kind: str, **order: Any) -> Fault:
        """Let the next matching requests go wrong; the fields of `faults.Fault`."""
        with self.world.lock:
            return self.world.faults.order(Fault(kind, **order))

    def clear_faults(self) -> None:
        """Take every order back."""
        with self.world.lock:
            self.world.faults.clear()

    def latency(self, seconds: float) -> None:
        """Let every request take that much longer."""
        self._door.latency = seconds

    def limit(self, login: str, resource: str = "core", left: int = 0, reset_in: float | None = None) -> None:
        """Leave somebody only so many points of a resource (`core`, `graphql`, `search`)."""
        with self.world.lock:
            key = login if ":" in login else f"user:{self.world.user(login).login}"
            self.world.limits.exhaust(key, resource, self.world.now(), left, reset_in)

    def limits(self, **figures: Any) -> None:
        """Set figures of `limits.Limits`: content_per_minute, secondary_status, secondary_retry_after…"""
        with self.world.lock:
            for name, value in figures.items():
                if not hasattr(self.world.limits, name):
                    raise ValueError(f"there is no limit {name!r}")
                setattr(self.world.limits, name, value)

    def mergeable_after(self, reads: int) -> None:
        """How many reads of a pull request learn nothing of its mergeability (1, as GitHub; many: for ever)."""
        with self.world.lock:
            self.world.reads_before_mergeable = reads

    def skip(self, seconds: float) -> None:
        """Let time pass at once; what became due happens."""
        with self.world.lock:
            self.world.skip(seconds)
            self.tide.advance()
            self.world.moved.notify_all()

    def settle(self, timeout: float = 30.0) -> bool:
        """Wait until no request is in flight and nothing is due any more; held work does not count. False: timeout."""
        with self.world.moved:
            end = self.world.now() + timeout
            while True:
                self.tide.advance()
                due, now = self.tide.ci.next_due(), self.world.now()
                if not self.world.in_flight and due is None:
                    return True
                if now >= end:
                    return False
                self.world.moved.wait(max(0.0, min(end, due or end) - now))


def _bare(path: Path, source: Path | None, above: Repository | None, default: str) -> Bare:
    bare = Bare(path)
    bare.create(source or (above.bare.path if above else None), default)
    return bare


def _plan(kind: type[Any], first: str, given: Any) -> Any:
    if isinstance(given, kind):
        return given
    fields = {first: given} if isinstance(given, str) else dict(given)
    return kind(**{key: tuple(value) if key in {"needs", "steps"} else value for key, value in fields.items()})
