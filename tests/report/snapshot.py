"""Screens as text files: compared as a whole, rewritten with UPDATE_SNAPSHOTS=1 and read in the diff."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "snapshots"


def check_snapshot(name: str, text: str, folder: Path = FOLDER) -> None:
    """Compare `text` with the stored screen of that name."""
    path = folder / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        folder.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    assert path.is_file(), f"no snapshot {path.name}: run with UPDATE_SNAPSHOTS=1 and read what it wrote"
    assert text + "\n" == path.read_text(encoding="utf-8")
