"""An agent's program on this machine: what to start, and what of it the sandbox has to show."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import NamedTuple

_NODE = re.compile(rb"#!\S*(?:/env +(?:-S +)?)?node\b")


class Found(NamedTuple):
    """A program that is here."""

    path: Path
    argv: tuple[str, ...]
    """The whole command, its interpreter before it."""
    runs: tuple[str, ...]
    """The program alone, without the words that come after it."""
    reads: tuple[Path, ...]
    """What has to be readable for it."""


def find(words: tuple[str, ...]) -> Found | None:
    """The program that `words` begin with; None where it is not on the PATH."""
    name = shutil.which(words[0])
    if name is None:
        return None
    real = Path(name).resolve()
    packages = _packages(real)
    # What npm installed finds its parts beside the real file; of a Python environment, the link is what counts.
    path = real if packages else Path(name).absolute()
    before, reads = _interpreter(path)
    named = [Path(word) for word in words[1:] if word.startswith("/") and Path(word).is_file()]
    shown = (packages or path, *reads, *dict.fromkeys(file for one in (path, *named) for file in (one, one.resolve())))
    runs = (*before, str(path))
    return Found(path, (*runs, *words[1:]), runs, shown)


def _interpreter(path: Path) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """(node before a script of it, what to show of it): the PATH inside the sandbox is not the one outside."""
    with path.open("rb") as file:
        if not _NODE.match(file.readline(200)):
            return (), ()
    node = shutil.which("node")
    if node is None:
        return (), ()
    real = Path(node).resolve()
    return (str(real),), (real,)


def _packages(path: Path) -> Path | None:
    """The folder of what npm installed that it lies in; None where it lies in none."""
    at = next((number for number, part in enumerate(path.parts) if part == "node_modules"), None)
    return None if at is None else Path(*path.parts[: at + 1])
