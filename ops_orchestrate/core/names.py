"""Names that become paths, branches, keys or shell words: one strict alphabet, checked in one place.

Text from outside never becomes a name without passing here (design principle 4). The alphabet is what git
accepts everywhere and no shell, refspec or Redis key reads as an operator: `+main` and `-x` are refused
because a refspec `+main` would force-push (facts measured for the shipping rules).
"""

from __future__ import annotations

import re
import unicodedata

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,198}")
_RUN = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
_SLUG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}")

_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")


OUR_BRANCHES = "ops/"
"""Every branch that we push begins so."""


def is_name(text: str) -> bool:
    """Whether `text` may name a task, an alias or a folder of ours."""
    return bool(_NAME.fullmatch(text)) and ".." not in text and not text.endswith(".lock")


def is_run_id(text: str) -> bool:
    """Whether `text` may name a run."""
    return bool(_RUN.fullmatch(text))


def is_branch(text: str) -> bool:
    """Whether `text` is a branch name that cannot be read as an option, a force or another ref."""
    if not _BRANCH.fullmatch(text) or text.startswith("refs/"):
        return False
    parts = text.split("/")
    return all(p and not p.startswith(".") and not p.endswith((".", ".lock")) and ".." not in p for p in parts)


def is_slug(text: str) -> bool:
    """Whether `text` is `owner/name` on a forge."""
    return bool(_SLUG.fullmatch(text)) and not text.endswith((".git", "/.", "/.."))


def change_branch(run: str, task: str) -> str:
    """The branch that a task's change gets on a forge: ours by its first word, and never moved but forward."""
    return f"{OUR_BRANCHES}{run}/{task}"


def slugify(text: str, limit: int = 40) -> str:
    """A name made of `text`, at most `limit` characters; `x` if nothing usable is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return words[:limit].strip("-") or "x"


def one_line(text: str, limit: int = 200) -> str:
    """`text` as one harmless line: control and bidirectional characters gone, white space single, cut at `limit`."""
    kept = "".join(c if is_plain(c) else " " for c in text)
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def clean_text(text: str, limit: int = 20_000) -> str:
    """`text` with control, bidirectional and zero-width characters removed (newlines and tabs stay), cut at `limit`."""
    kept = "".join(c for c in text if c in "\n\t" or is_plain(c))
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def short(commit: str) -> str:
    """A commit as it is shown to people, everywhere alike; a word that is no commit stays as it is.

    What a command or a name is made of is the whole one.
    """
    return commit[:8] if len(commit) >= 40 and set(commit) <= set("0123456789abcdef") else commit


def is_plain(char: str) -> bool:
    """Whether a screen shows it, as one character that changes no other."""
    return unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} and not _is_unseen(char)


def _is_unseen(char: str) -> bool:
    """Letters and marks that no screen shows: whole sentences can be written in variation selectors alone."""
    return char in _UNSEEN or "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"
