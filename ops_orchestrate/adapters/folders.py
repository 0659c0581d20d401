"""Removing folders that others have written to: whatever modes and depth they left, and never through a link."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from ops_orchestrate.adapters.process import run


def remove(path: Path) -> None:
    """Remove a folder, a file or a link, if it is there, also one made unreadable or endlessly deep on purpose.

    Raises OSError when something in it stays.
    """
    if path.is_symlink() or path.is_file():
        path.unlink()
        return
    with suppress(OSError, RecursionError):
        shutil.rmtree(path)
    if not os.path.lexists(path):
        return
    for command in (("chmod", "-R", "u+rwX"), ("rm", "-rf")):  # neither recurses, nor builds long paths
        run([*command, "--", str(path)], cwd="/", env={"PATH": "/usr/bin:/bin"}, timeout=120)
    if os.path.lexists(path):
        raise OSError(f"{path} could not be removed")
