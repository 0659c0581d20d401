"""Timing programs from outside: what a person waits for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

#: The folder of this environment's programs.
BIN = Path(sys.executable).parent


def seconds(argv: Sequence[str], env: Mapping[str, str] | None = None, ok: tuple[int, ...] = (0,)) -> float:
    """How long one program takes from its start to its end. Raises CalledProcessError for another exit code."""
    began = time.perf_counter()
    done = subprocess.run(
        argv, env=dict(env or os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
    )
    took = time.perf_counter() - began
    if done.returncode not in ok:
        raise subprocess.CalledProcessError(done.returncode, argv[0], stderr=done.stderr)
    return took


def clean(home: Path) -> dict[str, str]:
    """An environment in which the command knows nothing of the machine's owner."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "PYTHONPATH") if name in os.environ}
    return {**kept, "HOME": str(home), "OPS_DATA_DIR": str(home / "data")}
