"""Processes that a benchmark starts: each is gone when it has ended, whatever it is busy with."""

from __future__ import annotations

import subprocess
from typing import Any


def end(process: subprocess.Popen[Any], seconds: float = 20) -> None:
    """Ask it to end, and end it where it has not after so many seconds."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(60)
