"""Text from outside as an agent is shown it: cleaned, cut, and in a block that it cannot close.

The fence of a block is a digest of all that goes into it: no text can hold the digest of itself. What a person does
not see where the text was written is left out.
"""

from __future__ import annotations

import hashlib
import json
import re

from ops_orchestrate.core import names
from ops_orchestrate.core.value import Value

_HIDDEN = "[a hidden comment was left out]"
_COMMENT = re.compile(r"<!--.*?--!?>", re.DOTALL)
#: One that is never closed hides all that follows, where it begins a line.
_OPEN_COMMENT = re.compile(r"^[ \t]{0,3}<!--.*", re.DOTALL | re.MULTILINE)
_CUT_COMMENT = re.compile(r"<!--.*", re.DOTALL)
#: A link's target that nothing links to is how Markdown is commented: `[//]: # (…)`.
_NOTE = re.compile(r"^ {0,3}\[(?://|comment|_|\^)\]:[^\n]*$", re.MULTILINE | re.IGNORECASE)


def nonce_of(*parts: object) -> str:
    """A mark that no part can contain, because it depends on every byte of all of them."""
    plain = json.dumps(parts, default=_jsonable, sort_keys=True)
    return hashlib.sha256(plain.encode(errors="surrogatepass")).hexdigest()[:24]


def visible(text: str) -> str:
    """Every character that nobody would see, written out: a change is judged by all that is in it."""
    return "".join(char if char in "\n\t" or names.is_plain(char) else f"<U+{ord(char):04X}>" for char in text)


def _jsonable(value: object) -> object:
    if isinstance(value, Value):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} has no place in a brief")


def block(text: str, source: str, nonce: str) -> str:
    """A text between two lines that hold the nonce; `source` says where it is from."""
    return f"BEGIN DATA {nonce} (source: {line(source, 300)})\n{text}\nEND DATA {nonce}"


def line(text: str, limit: int = 200) -> str:
    """One harmless line of it, at most `limit` characters."""
    return names.one_line(_seen(text, limit), limit)


def text_of(text: str, limit: int) -> str:
    """The text without what nobody sees, at most `limit` characters."""
    return names.clean_text(_seen(text, limit), limit)


def _seen(text: str, limit: int) -> str:
    """What a person sees who reads the text where it was written: no comments of HTML or Markdown.

    Whoever looked at an issue before it was worked on must have looked at all that the agent gets.
    """
    start = _start(text, limit)
    for hidden in (_COMMENT, _CUT_COMMENT if len(start) < len(text) else _OPEN_COMMENT, _NOTE):
        start = hidden.sub(_HIDDEN, start)
    return start


def _start(text: str, limit: int) -> str:
    """What is surely enough of an endless text: cleaning looks at every character."""
    return text[: 4 * limit]
