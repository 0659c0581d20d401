"""Text from outside on its way to people on a forge: it calls nobody and closes nothing.

A forge reads commit messages, descriptions and comments: `@name` calls somebody, `#7`, `GH-7` and the address of an
issue refer to it, and behind a word such as "fixes" they close it. A character that nobody sees keeps each of them
from being read so; everything else stays as it is.
"""

from __future__ import annotations

import re

_APART = "\u200b"
_CALLS = re.compile(r"@(?=[A-Za-z0-9])")
_REFERS = re.compile(r"#(?=[0-9])|(?<=\bGH)-(?=[0-9])|(?<=/)(?:issues|pull|discussions)/(?=[0-9])", re.IGNORECASE)


def harmless(text: str) -> str:
    """`text` without anything that a forge would act upon. Harmless already, it stays the same."""
    return _REFERS.sub(lambda found: found[0] + _APART, _CALLS.sub("@" + _APART, text))
