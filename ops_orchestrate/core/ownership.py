"""Declared paths: what a task may change, and whether two tasks may work in one repository at once.

The language is gitignore's, cut down to what a person declares: `src/a.py` is that file (or folder),
`src/` and `src/**` everything below, `*.py` at any depth, `src/*.py` one level, `**/x` at any depth; `?` is
one character. Brackets and braces stand for themselves, because web routes are called `[id].tsx`.
`covers` is exact and sensitive to case. `overlap` errs on the side of *yes*: two writers of one file cost
more than a task that waits. No pattern is ever opened, expanded or handed to a shell.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

Component = tuple[str, ...]
_T = TypeVar("_T")

# Tokens of two characters: no character of a file's name can be mistaken for one.
_ANY = "?."
_STAR = "*."
_DEEP: Component = ("**",)

_LONGEST = 400
_MOST = 500


def covers(paths: Sequence[str], path: str) -> bool:
    """Whether a task that declares `paths` may change the file `path`. No paths: everything."""
    if not paths:
        return True
    concrete = tuple(tuple(component) for component in path.split("/"))
    return any(_meet(_parse(pattern), concrete, _DEEP, _components_meet) for pattern in paths)


def overlap(a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether some file may belong to both; letter case and ways to write an accent tell no files apart."""
    if not a or not b:
        return True
    return any(_patterns_overlap(one, other) for one in a for other in b)


def problem(paths: Sequence[str]) -> str | None:
    """What is wrong with the first unusable pattern, in one sentence; None if all can be used."""
    if len(paths) > _MOST:
        return f"more than {_MOST} paths are declared; declare folders instead"
    return next((found for found in map(_problem_of, paths) if found), None)


@lru_cache(maxsize=4096)
def _problem_of(pattern: str) -> str | None:
    shown = repr(pattern[:80])
    if not pattern.strip():
        return "a path is empty; leave the list empty to own the whole repository"
    if len(pattern) > _LONGEST:
        return f"{shown}… is longer than {_LONGEST} characters"
    if any(unicodedata.category(char)[0] == "C" for char in pattern):
        return f"{shown} holds a control or invisible character"
    if pattern[0] in "-!~" or "\\" in pattern:
        return f"{shown} begins with -, ! or ~, or holds a backslash; write it relative, with /"
    if pattern[0] == "/" or pattern[1:3] in {":", ":/"}:
        return f"{shown} is absolute; write it relative to the repository"
    return _problem_of_parts(pattern.split("/"), shown)


def _problem_of_parts(parts: Sequence[str], shown: str) -> str | None:
    if ".." in parts:
        return f"{shown} leads out of the repository (`..`)"
    # Some file systems drop trailing dots and spaces, so `.git.` would still be git's own folder.
    if any(part.rstrip(". ").lower() in {".git", "git~1"} for part in parts):
        return f"{shown} lies in git's own folder"
    return None


@lru_cache(maxsize=4096)
def _parse(pattern: str) -> tuple[Component, ...]:
    names = [name for name in pattern.split("/") if name not in {"", "."}]
    if not names:
        return (_DEEP,)
    parts = [_DEEP if name == "**" else _component(name) for name in names]
    if pattern.endswith("/") or (len(parts) > 1 and parts[-1] == _DEEP):
        # Below it, never the folder's own name: a link put in its place is outside.
        return (*(parts[:-1] if parts[-1] == _DEEP else parts), (_STAR,), _DEEP)
    if parts[-1] != _DEEP and not _is_wild(parts[-1]):
        return (*parts, _DEEP)
    return (_DEEP, *parts) if "/" not in pattern else tuple(parts)


def _component(name: str) -> Component:
    return tuple({"*": _STAR, "?": _ANY}.get(char, char) for char in name)


def _is_wild(component: Component) -> bool:
    return _STAR in component or _ANY in component


@lru_cache(maxsize=16384)
def _patterns_overlap(a: str, b: str) -> bool:
    return _meet(_folded(_parse(a)), _folded(_parse(b)), _DEEP, _components_meet)


def _folded(parts: tuple[Component, ...]) -> tuple[Component, ...]:
    """Lower case; a name beyond ASCII may be written in several ways, so it stands for any name."""
    return tuple(
        tuple(token.lower() for token in part) if all(token.isascii() for token in part) else (_STAR,) for part in parts
    )


@lru_cache(maxsize=65536)
def _components_meet(a: Component, b: Component) -> bool:
    if a == b or (_STAR,) in (a, b):
        return True
    return (_is_wild(a) or _is_wild(b)) and _meet(a, b, _STAR, _characters_meet)


def _characters_meet(a: str, b: str) -> bool:
    return a == b or _ANY in (a, b)


def _meet(a: Sequence[_T], b: Sequence[_T], star: _T, same: Callable[[_T, _T], bool]) -> bool:
    """Whether one sequence fits both patterns; `star` stands for any number of elements, none included.

    A table of len(a) by len(b), so that no pattern of a stranger's can make it slow.
    """
    row = [True]
    for other in b:
        row.append(row[-1] and other == star)
    for one in a:
        following = [row[0] and one == star]
        for at, other in enumerate(b):
            if star in (one, other):
                following.append(row[at + 1] or following[at])
            else:
                following.append(row[at] and same(one, other))
        row = following
    return row[-1]
