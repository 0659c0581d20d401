"""Lists in environment variables."""

from __future__ import annotations

import json
import shlex
from typing import Any


def words(value: Any) -> Any:
    """A list in an environment variable: JSON, or words as a shell would split them. Raises ValueError."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    try:
        return json.loads(text) if text.startswith("[") else shlex.split(text)
    except ValueError as error:
        raise ValueError(f"is neither a JSON list nor words as a shell splits them ({error})") from None
