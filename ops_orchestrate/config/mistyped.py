"""Variables of the environment that look like a setting and are none: a cap that was mistyped caps nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

PREFIX = "OPS_"
#: How alike two names are, from 0 to 1, before one counts as the other mistyped.
_ALIKE = 0.85


def mistyped(names: Iterable[str], settings: Iterable[str]) -> list[tuple[str, str]]:
    """(name, the setting that was probably meant) of every name that is near a setting's and is none.

    `settings`: fields, without the prefix. Other programs may have variables with our prefix, so that a name which is
    like none of ours is not spoken of.
    """
    known = {PREFIX + field.upper() for field in settings}
    found: list[tuple[str, str]] = []
    for name in sorted(set(names) - known):
        near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=_ALIKE) if name.upper()[:4] == PREFIX else []
        found += [(name, one) for one in near]
    return found
