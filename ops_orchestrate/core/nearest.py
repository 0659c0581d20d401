"""The nearest known word to an unknown one, for messages that end in "did you mean". Never a decision."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from ops_orchestrate.core.names import one_line


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` most likely stands for; None where nothing is near."""
    options = list(known)
    folded = {option.casefold(): option for option in reversed(options)}
    close = get_close_matches(word.casefold()[:100], folded, n=1, cutoff=0.6)
    if close:
        return folded[close[0]]
    inside = [option for option in options if len(option) > 2 and option.casefold() in word.casefold()]
    return max(inside, key=len) if inside else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence such as ` Did you mean "gate"?`, with its leading space; empty where nothing is near."""
    found = nearest(word, known)
    return f' Did you mean "{one_line(found, 60)}"?' if found else ""
