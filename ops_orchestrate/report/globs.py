"""Whether two declared paths meet, as the outside check of a run sees it: apart from the rule that the engine has."""

from __future__ import annotations


def surely_overlap(a: str, b: str) -> bool:
    """Whether two globs overlap beyond doubt: equal, or one is a folder that the other lies in."""
    first, second = (path.removesuffix("/**").rstrip("/") for path in (a, b))
    if first == second:
        return True
    if _is_glob(first) or _is_glob(second):
        return False
    inside = (first + "/").startswith(second + "/") and b.endswith(("/", "/**"))
    return inside or ((second + "/").startswith(first + "/") and a.endswith(("/", "/**")))


def _is_glob(path: str) -> bool:
    return any(char in path for char in "*?[")
