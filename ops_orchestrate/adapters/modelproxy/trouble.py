"""What a model's API last said that was no answer. Agents retry on their own and tell nobody; here it is seen."""

from __future__ import annotations

import json
import threading
import time

import httpx

from ops_orchestrate.core.modelusage import ModelTrouble
from ops_orchestrate.core.names import one_line

_WORDS = 4_000
_MOST = 20
_LONGEST = 8 * 24 * 3600.0
"""A provider's word about its own clock is not believed beyond this."""


class TroubleWatch:
    """Refusals in a row, by model: some agents ask a small one for titles beside their work. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._standing: dict[str, ModelTrouble] = {}

    def now(self) -> ModelTrouble | None:
        """The newest trouble that stands; None where the last call of every model was answered well."""
        with self._lock:
            return next(reversed(self._standing.values()), None)

    def of(self, model: str) -> ModelWatch:
        """The same for one model."""
        return ModelWatch(self, model)

    def fine(self, model: str) -> None:
        """A call was answered."""
        with self._lock:
            self._standing.pop(model, None)
            for name, one in self._standing.items():
                self._standing[name] = one.model_copy(update={"last": False})

    def failed(self, model: str, status: int, words: str = "", *, again_at: float = 0.0, ours: bool = False) -> None:
        """A call was refused, or came to nothing."""
        with self._lock:
            before = self._standing.pop(model, None)
            if len(self._standing) < _MOST:
                self._standing[model] = ModelTrouble(
                    status=status,
                    words=one_line(words, 300),
                    times=before.times + 1 if before else 1,
                    again_at=again_at,
                    ours=ours,
                )


class ModelWatch:
    """One model's part of it."""

    def __init__(self, watch: TroubleWatch, model: str) -> None:
        self._watch = watch
        self._model = model

    def fine(self) -> None:
        """A call was answered."""
        self._watch.fine(self._model)

    def failed(self, status: int, words: str = "", *, again_at: float = 0.0) -> None:
        """A call was refused."""
        self._watch.failed(self._model, status, words, again_at=again_at)


class Words:
    """The beginning of an error's body, read while it passes."""

    def __init__(self) -> None:
        self._read = b""

    def feed(self, data: bytes) -> None:
        """The next piece."""
        self._read += data[: max(0, _WORDS - len(self._read))]

    @property
    def text(self) -> str:
        """What it says: the message in it, where there is one."""
        plain = self._read.decode("utf-8", "replace")
        try:
            found = json.loads(plain)
        except (ValueError, RecursionError):
            return plain
        found = found[0] if isinstance(found, list) and found else found
        error = found.get("error") if isinstance(found, dict) else None
        message = error.get("message") if isinstance(error, dict) else error
        return message if isinstance(message, str) else plain


def again_at(answer: httpx.Response) -> float:
    """When the provider says that it may be asked again, in seconds since 1970; 0 where it does not say."""
    said = answer.headers.get("retry-after", "")
    return time.time() + min(float(said), _LONGEST) if said.isascii() and said.isdecimal() and len(said) < 10 else 0.0
