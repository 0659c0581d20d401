"""`demo`: four small real repositories, real git, a real server and workers, real test suites as gates.

Only the agent is scripted: a real process in the sandbox that plays a written part instead of asking a model.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import click

from ops_orchestrate.adapters.git import Git
from ops_orchestrate.cli.connect import stack_of, worker_specs
from ops_orchestrate.cli.demo_files import GATE, REPOSITORIES, TASKS
from ops_orchestrate.cli.demo_github import OWNER, DemoGitHub
from ops_orchestrate.cli.demo_playbook import PLAYBOOK
from ops_orchestrate.cli.exits import Exit
from ops_orchestrate.cli.request import Asked, gather, make_request
from ops_orchestrate.cli.run import start_and_follow
from ops_orchestrate.config import Settings, load_settings
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.core.task import Mode
from ops_orchestrate.errors import UsageError
from ops_orchestrate.wiring import sandbox_problem

#: Variables that would have the demo read the owner's registry, or write to the owner's server.
_OWNERS = ("OPS_REDIS_URL", "OPS_BROKER_URL", "OPS_RESULTS_URL", "OPS_LEDGER_URL", "OPS_REGISTRY", "OPS_CONFIG")
_DEMO = {"NAME": "Demo", "EMAIL": "demo@localhost"}


@click.command("demo")
@click.option("--folder", type=click.Path(path_type=Path), help="Build it here (must not exist); default: a new one.")
@click.option("--keep/--no-keep", default=True, help="Keep the folder to look around in (default) or remove it.")
@click.option("--github", is_flag=True, help="Through pull requests, on a GitHub that runs on this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object an event, and the report as JSON.")
def command(folder: Path | None, keep: bool, github: bool, as_json: bool) -> int:
    """Build four small git repositories and run the whole pipeline on them with --force."""
    home = _scratch(folder)
    forge = DemoGitHub(home) if github else None
    try:
        code = _run(home, forge, as_json=as_json)
        if not as_json:
            _goodbye(home, forge, keep=keep)
    finally:
        if forge:
            forge.close()
    if not keep:
        shutil.rmtree(home)
    # The demo leaves tasks for a person on purpose: halted is how it ends when all is well.
    return Exit.DONE if code == Exit.HALTED else code


def _run(home: Path, forge: DemoGitHub | None, *, as_json: bool) -> int:
    settings = _settings(home)
    with _workers(settings):
        _build(home, settings, forge)
        return start_and_follow(settings, _request(settings, home), as_json=as_json)


@contextmanager
def _workers(settings: Settings) -> Iterator[None]:
    """Server and workers for the length of the block, which need not wait until they are there. Raises OpsError."""
    with ThreadPoolExecutor(1) as aside:
        starting = aside.submit(stack_of, settings, workers=worker_specs())
        try:
            yield
        finally:
            starting.result().close()


def _request(settings: Settings, home: Path) -> RunRequest:
    mode = Mode.HYBRID if settings.teams else Mode.SUBAGENTS
    asked = Asked(
        mode=mode, dry_run=False, project=None, fires_only=False, no_main=False,
        max_waves=None, force=True, planner_help=False, registry=home / "registry.json", tasks=home / "tasks.json",
    )  # fmt: skip
    return make_request(settings, asked, gather(settings, asked), terminal=False)


def _scratch(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="ops-demo-")).resolve()
    if folder.exists():
        raise UsageError(f"{folder} exists already; the demo builds a new folder and removes none.")
    folder.mkdir(parents=True)
    return folder.resolve()


def _settings(home: Path) -> Settings:
    """The demo's own settings, which its workers read from the same environment."""
    os.environ.update(
        OPS_DATA_DIR=str(home), OPS_AGENT="scripted", OPS_PLAYBOOK=str(home / "playbook.json"), OPS_GRACE="3"
    )
    for name in _OWNERS:
        os.environ.pop(name, None)
    settings = load_settings()
    if sandbox_problem(settings):
        # The demo's agent is our own script, so a machine without bubblewrap can show the pipeline; the report says so.
        sys.stderr.write(f"note: {sandbox_problem(settings)} The demo goes on without a sandbox.\n")
        os.environ["OPS_UNSANDBOXED_OK"] = "1"
        settings = load_settings()
    return settings


def _build(home: Path, settings: Settings, forge: DemoGitHub | None) -> None:
    git = Git(settings)
    projects = []
    for priority, (name, files) in enumerate(REPOSITORIES.items(), start=1):
        checkout = home / "code" / name
        _repository(git, home / "forge" / f"{name}.git", checkout, files)
        options: dict[str, object] = {"gate": GATE}
        if forge is None:
            options["ci"] = "none"
        else:
            git.run("remote", "set-url", "origin", forge.publish(name, home / "forge" / f"{name}.git"), at=checkout)
        if name == "shop-web":
            options["consumes"] = ["shop-api"]
        projects.append(
            {
                "alias": name,
                "paths": [str(checkout)],
                "repos": [f"{OWNER}/{name}"] if forge else [],
                "priority": priority,
                "gsd": name == "handbook",
                "ops": options,
            }
        )
    _write(home / "registry.json", json.dumps({"version": "1.0", "owner": "Demo", "projects": projects}, indent=2))
    _write(home / "tasks.json", json.dumps(TASKS, indent=2))
    _write(home / "playbook.json", json.dumps(PLAYBOOK))
    click.echo(f"Built {len(projects)} repositories in {home}")


def _repository(git: Git, upstream: Path, checkout: Path, files: dict[str, str]) -> None:
    """A bare upstream with `main` and `dev`, and the owner's checkout of it."""
    for path, text in files.items():
        _write(checkout / path, text)
    identity = {f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER") for field, value in _DEMO.items()}
    upstream.mkdir(parents=True)
    git.run("init", "--quiet", "--bare", "--initial-branch=main", str(upstream))
    git.run("init", "--quiet", "--initial-branch=main", str(checkout))
    git.run("add", "--all", at=checkout)
    git.run("commit", "--quiet", "--message=Begin", at=checkout, env=identity)
    git.run("branch", "dev", at=checkout)
    git.run("remote", "add", "origin", str(upstream), at=checkout)
    git.run(
        "push", "--quiet", "origin", "refs/heads/main:refs/heads/main", "refs/heads/dev:refs/heads/dev", at=checkout
    )
    git.run("fetch", "--quiet", "origin", at=checkout)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _goodbye(home: Path, forge: DemoGitHub | None, *, keep: bool) -> None:
    if forge:
        click.echo(f"\n{forge.record()}")
    if not keep:
        return
    folder = shlex.quote(str(home))
    path = (
        "" if shutil.which("ops-orchestrate") else f" PATH={shlex.quote(str(Path(sys.argv[0]).resolve().parent))}:$PATH"
    )
    click.echo(
        f"\nThree tasks wait for you, as they should. Look around:\n"
        f"  export OPS_DATA_DIR={folder} OPS_AGENT=scripted OPS_PLAYBOOK={folder}/playbook.json{path}\n"
        "  ops-orchestrate report\n"
        "  ops-orchestrate explain last api-session-length"
    )
    if forge:
        click.echo(f"The demo's GitHub has ended with this command; its repositories are in {folder}/github.")
    else:
        click.echo(
            "  ops-orchestrate answer last api-session-length yes\n"
            f"  git -C {folder}/forge/shop-api.git log --stat main\n"
            f"The repositories are in {folder}/code, their upstreams in {folder}/forge."
        )
    click.echo(f"`rm -r {folder}` removes it all.")
