"""What a world works on: repositories on a GitHub and on disk, and how long the agent of a task is busy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ops_orchestrate.standin.profile import JobPlan
from ops_orchestrate.standin.run import Standin
from tests.engine.forge_rig import TOKEN
from tests.engine.rig import GATE
from tests.repos import git, make_upstream

OWNER = "acme"
#: Repositories on the GitHub stand-in, and those whose commits are pushed without one.
ON_FORGE = ("app", "lib", "web")
ON_DISK = ("doc", "sdk")
FILES = {"gate.sh": "test ! -e broken\n", "src/.keep": "", "README.md": "Hello\n"}

#: How long the agent of a task works, by the end of the task's id.
SPEEDS = {"s0": 0.0, "s1": 0.6, "s2": 2.0, "s3": 4.0}


def _steps(seconds: float) -> list[dict[str, Any]]:
    """One commit, then a file that is not committed for a while, then another commit. Each text names its attempt."""

    def write(name: str) -> dict[str, Any]:
        text = f'mkdir -p src && echo "$OPS_ATTEMPT {name}" > "src/$OPS_TASK.{name}"'
        return {"run": {"argv": ["/bin/sh", "-c", text]}}

    report = {"status": "done", "summary": "did it", "hand_over": "it is there"}
    return [
        write("txt"), {"commit": {"message": "Half of it"}}, write("more"), {"sleep": {"seconds": seconds}},
        {"commit": {"message": "The rest"}}, {"report": report},
    ]  # fmt: skip


PLAYBOOK = {f"*-{end}": [_steps(seconds)] for end, seconds in SPEEDS.items()}


def make_repositories(home: Path, github: Standin) -> list[dict[str, Any]]:
    """Make all of them, each with a checkout; the projects of a registry that names them."""
    control = github.control
    control.add_user("bot", token=TOKEN)
    control.add_user("rita")
    projects = []
    for name in ON_FORGE:
        slug, checkout = f"{OWNER}/{name}", home / "code" / name
        control.add_repository(slug, files={**FILES, ".github/workflows/ci.yml": "on: push\n"}, organization=True)
        control.push(slug, "dev", None, start="main")
        control.permit(slug, "bot", "write")
        control.ci(slug, jobs=[JobPlan("test", seconds=0.2)], on=["pull_request"])
        control.protect(slug, "dev", checks=["test"])
        git("clone", "--quiet", github.clone_url(slug, TOKEN), str(checkout), cwd=home)
        git("remote", "set-url", "origin", github.clone_url(slug), cwd=checkout)
        projects.append(_known(name, checkout, repos=[slug]))
    for name in ON_DISK:
        upstream = make_upstream(home / "repos", name, FILES)
        git("config", "core.logAllRefUpdates", "true", cwd=upstream.bare)
        projects.append(_known(name, upstream.checkout, ci="none"))
    return projects


def _known(alias: str, checkout: Path, *, repos: list[str] | None = None, **ops: Any) -> dict[str, Any]:
    fields = {"gate": GATE, "promote": False, "integration": "dev", **ops}
    return {"alias": alias, "paths": [str(checkout)], "repos": repos or [], "ops": fields}
