"""The agent's report: a small JSON file, read strictly. It holds claims, never evidence.

A report that is not exactly what docs/agent-contract.md says counts as no report of a finished agent: it is
refused as a whole, so that half of a hostile or torn file never reaches a brief.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ops_orchestrate.adapters.scratch import read_inside
from ops_orchestrate.core.agent import AgentReport
from ops_orchestrate.core.names import clean_text

NAME = "report.json"
LIMIT = 65_536
"""Bytes."""
MOST_USD, MOST_TOKENS = 1_000_000, 10**12
"""More than any attempt costs. They are added up over a run, and a forecast is made of them."""


class ReportError(Exception):
    """There is a report, and it cannot be used; the text says why."""


class _Written(BaseModel):
    """The file's schema."""

    model_config = ConfigDict(extra="forbid", strict=True)

    task: str | None = None
    status: Literal["done", "failed", "blocked"]
    summary: str = ""
    hand_over: str = ""
    question: str = ""
    cost_usd: float | None = Field(None, ge=0, le=MOST_USD, allow_inf_nan=False)
    tokens: int | None = Field(None, ge=0, le=MOST_TOKENS)


def read_report(folder: Path, task: str) -> AgentReport | None:
    """The report of an agent that worked on `task`; None where it wrote none. Raises ReportError."""
    try:
        data = read_inside(folder, NAME, LIMIT)
        if data is None:
            return None
        written = _Written.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReportError(f"its report is not valid: {where + ': ' if where else ''}{first['msg']}") from error
    except ValueError as error:
        raise ReportError(f"its report is not valid: {error}") from error
    if written.task not in (None, task):
        raise ReportError("its report names another task")
    return AgentReport(
        status=written.status,
        summary=clean_text(written.summary, 4_000),
        hand_over=clean_text(written.hand_over, 8_000),
        question=clean_text(written.question, 2_000),
        cost_usd=written.cost_usd,
        tokens=written.tokens,
    )


def read_answer(folder: Path) -> str:
    """What was written in the report's place by an agent that was asked something, as it is; empty for no such file.

    Whether that is an answer at all is for its reader to say.
    """
    with suppress(ValueError):
        return (read_inside(folder, NAME, LIMIT) or b"").decode("utf-8", "surrogateescape")
    return ""
