"""Registries, folders and repositories for these tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ops_orchestrate.adapters.gitplace import git_probe
from ops_orchestrate.adapters.registry import load_portfolio
from ops_orchestrate.config import Settings
from ops_orchestrate.core.project import Portfolio
from tests.repos import git


def make_repo(path: Path, remote: str | None = None) -> Path:
    git("init", "--quiet", "--initial-branch=main", path)
    git("commit", "--quiet", "--allow-empty", "-m", "start", cwd=path)
    if remote:
        git("remote", "add", "origin", remote, cwd=path)
    return path


def register(settings: Settings, *projects: dict[str, Any]) -> Path:
    path = settings.data_dir / "registry.json"
    path.write_text(json.dumps({"projects": projects}))
    path.chmod(0o600)
    return path


def load(settings: Settings, *, cwd: Path | None = None, project: str | None = None) -> Portfolio:
    return load_portfolio(settings, git_probe(settings), None, cwd, project)


def reasons(portfolio: Portfolio) -> str:
    return "\n".join(f"{one.name}: {one.reason}" for one in portfolio.skipped)
