"""Asking an agent something: it reads, changes nothing, and answers once, in JSON of a known shape.

Whatever it has read may have been written to steer it. So an answer is read strictly, names the mark of its question
(which no text inside the question can hold), and decides nothing by itself: a rule does.
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.strict_json import load_json
from ops_orchestrate.core.value import Value
from ops_orchestrate.errors import OpsError

LIMIT = 65_536
"""Bytes of an answer."""


class Question(Value):
    """What an agent is asked, and how long it may take."""

    key: StageKey
    purpose: str
    """One word, as `review`: names what belongs to the question, apart from what belongs to the attempt."""
    text: str
    schema_text: str
    """The JSON schema of the answer."""
    tree: str
    """The folder that it may read."""
    model: str = ""
    """Another model than the agents'."""
    max_usd: float | None = None
    """What it may cost, and `max_tokens` what it may use: what was reserved for it. None: what the settings say."""
    max_tokens: int | None = None
    seconds: float
    beat_seconds: float
    grace_seconds: float
    renewed_at: float = 0.0


class NoAnswerError(OpsError):
    """What came back is no answer to the question; the text says why, for people."""


class Answered(BaseModel):
    """What every answer holds; the shape of an answer is a subclass."""

    model_config = ConfigDict(extra="forbid", strict=True)

    mark: str
    """The mark of the question."""


_A = TypeVar("_A", bound=Answered)


def read_answer(text: str, shape: type[_A], mark: str) -> _A:
    """The answer of that shape to the question with that mark. Raises NoAnswerError for anything else."""
    value = load_json(text.encode("utf-8", "surrogatepass"), origin="Its answer", error=NoAnswerError, limit=LIMIT)
    try:
        found = shape.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:60]
        raise NoAnswerError(f"Its answer has another shape: {where + ': ' if where else ''}{first['msg']}.") from None
    if found.mark != mark:
        raise NoAnswerError("Its answer does not name this question: it may be a copy of what it has read.")
    return found
