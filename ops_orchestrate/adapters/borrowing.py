"""Git folders that read another one's objects without having them."""

from __future__ import annotations

import shutil
from pathlib import Path


def borrow(folder: Path, mirror: Path, *more: Path) -> None:
    """Let the git folder read the mirror's objects (and those of `more`) without having them."""
    info = folder / "objects" / "info"
    info.mkdir(exist_ok=True)
    sources = (mirror / "objects", *more)
    (info / "alternates").write_text("".join(f"{source}\n" for source in sources))
    if (mirror / "shallow").is_file():
        shutil.copyfile(mirror / "shallow", folder / "shallow")
