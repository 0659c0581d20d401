"""The variables that an agent's program finds, and the mark by which its processes are known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ops_orchestrate.adapters.agents.report import NAME
from ops_orchestrate.adapters.proctree import MARK
from ops_orchestrate.config import Settings
from ops_orchestrate.core.agent import AgentJob

if TYPE_CHECKING:
    from ops_orchestrate.adapters.agents.session import Program


def filled(env: dict[str, str], ways: Mapping[str, str]) -> dict[str, str]:
    """Variables that say where the model is within a longer text."""
    return {name: value.replace("{OPS_MODEL_URL}", ways.get("OPS_MODEL_URL", "")) for name, value in env.items()}


def mark(job: AgentJob) -> str:
    name = f"{job.key.run}.{job.key.task}.{job.key.attempt}.{job.key.fence}"
    return f"{name}.{job.purpose}.{job.key.seq}" if job.purpose else name


def environment(program: Program, job: AgentJob, settings: Settings, box: Path) -> dict[str, str]:
    who = {f"GIT_{role}_NAME": settings.git_name for role in ("AUTHOR", "COMMITTER")}
    who |= {f"GIT_{role}_EMAIL": settings.git_email for role in ("AUTHOR", "COMMITTER")}
    mailbox = {"OPS_MAILBOX": str(Path(job.scratch) / "mailbox")} if program.mailbox else {}
    return {
        **who,
        **(program.env or {}),
        **mailbox,
        MARK: mark(job),
        "OPS_TASK": job.key.task,
        "OPS_BRANCH": job.branch,
        "OPS_BRIEF": str(Path(job.scratch) / "brief.md"),
        "OPS_REPORT": str(box / NAME),
        "OPS_MODEL": job.model or settings.model,
        **({"OPS_PURPOSE": job.purpose} if job.purpose else {}),
        "HOME": str(box / "home"),
        "TMPDIR": str(box / "tmp"),
    }
