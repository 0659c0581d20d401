"""The transcript of an attempt: what the agent's program said, line by line, without secrets, up to a size.

It is written as the lines come, so that what a killed worker had heard is there. Exact values are cut out first, then
whatever looks like a secret; a line is JSON before and after.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ops_orchestrate.config import Settings
from ops_orchestrate.core.agent import AgentJob


def transcripts(settings: Settings) -> Path:
    """The folder of all transcripts, one folder a run."""
    return settings.state_dir / "logs" / "attempts"


def prune(folder: Path, keep: int) -> None:
    """Remove all but the newest transcripts. Others may do the same at the same time."""
    found = []
    for path in folder.glob("*/*.jsonl"):
        with suppress(FileNotFoundError):
            found.append((path.lstat().st_mtime, path))
    for _, path in sorted(found, reverse=True)[keep:]:
        path.unlink(missing_ok=True)
        with suppress(OSError):  # the run has others
            path.parent.rmdir()


def transcript_path(settings: Settings, job: AgentJob) -> Path:
    """Where the session's transcript is kept."""
    key = job.key
    asked = f"-{job.purpose}{key.seq}" if job.purpose else ""
    return transcripts(settings) / key.run / f"{key.task}-a{key.attempt}-f{key.fence}{asked}.jsonl"


class Transcript:
    """Appends lines to one file, until it is full."""

    def __init__(self, path: Path, limit: int, redact: Callable[[str], str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._room = limit
        self._redact = redact
        self._in_key = False

    def heard(self, line: bytes) -> None:
        """A line of the protocol."""
        self._write(line.decode("utf-8", "replace"))

    def noise(self, text: str) -> None:
        """Something that was printed beside it.

        It comes line by line, and of a private key only the first one and the last say what it is.
        """
        hidden = self._in_key or ("-----BEGIN " in text and "PRIVATE KEY" in text)
        self._in_key = hidden and "-----END " not in text
        text = "[redacted private key]" if hidden else text
        self._write(json.dumps({"type": "ops/printed", "text": text}))

    def told(self, text: str) -> None:
        """A message of ours."""
        self._write(json.dumps({"type": "ops/told", "text": text}))

    def close(self) -> None:
        """Nothing more comes. May be called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, line: str) -> None:
        if self._file < 0 or not self._room:
            return
        data = self._redact(line).encode() + b"\n"
        if len(data) > self._room:
            data, self._room = b'{"type":"ops/cut"}\n', 0
        self._room = max(0, self._room - len(data))
        try:
            os.write(self._file, data)
        except OSError:  # a full disk costs the transcript, never the attempt
            self._room = 0
