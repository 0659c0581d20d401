"""A copy of an embedded server's append-only file, for a throw-away server that starts from it. Only reads the source.

The file is a folder of parts that a manifest lists. A running server appends to the last part, which may be cut
anywhere when it is loaded (`aof-load-truncated`), and from time to time writes new parts and a new manifest: a copy
during that moment is made again.
"""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

from ops_orchestrate.errors import OpsError

_FOLDER = "appendonlydir"
_MANIFEST = "appendonly.aof.manifest"
_PART = re.compile(r"^file (\S+) ", re.MULTILINE)
_TRIES = 20


def copy_data(source: Path, target: Path) -> bool:
    """Copy the data of the server that works in `source` to `target`; False where there are none yet.

    Raises OpsError when they cannot be read.
    """
    try:
        for _ in range(_TRIES):
            manifest = source / _FOLDER / _MANIFEST
            if not manifest.exists():
                return False
            if _copied(manifest, target / _FOLDER):
                return True
            time.sleep(0.05)
    except OSError as error:
        raise OpsError(f"The ledger in {source} cannot be read: {error.strerror}.") from None
    raise OpsError(f"The ledger in {source} changes too fast to be copied; try again in a moment.")


def _copied(manifest: Path, target: Path) -> bool:
    """Whether every part was still there, and the manifest the same, when all was copied."""
    text = manifest.read_text(encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(mode=0o700, parents=True)
    try:
        for name in _PART.findall(text):
            shutil.copyfile(manifest.parent / Path(name).name, target / Path(name).name)
    except FileNotFoundError:
        return False
    (target / _MANIFEST).write_text(text, encoding="utf-8")
    return manifest.read_text(encoding="utf-8") == text
