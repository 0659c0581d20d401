"""What can be seen from outside while it happens: living agents by /proc, and the files that they have written."""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

from tests.chaos.record import Draft
from tests.engine.nemesis import marked

_LOOK = 0.2


class Sight:
    """Looks many times a second, until it is ended."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.most = 0
        self.doubled: set[str] = set()
        self.drafts: set[Draft] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sight", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop looking."""
        self._over.set()
        self._thread.join(timeout=10)

    def _watch(self) -> None:
        while not self._over.wait(_LOOK):
            marks = set(marked(self._home).values())
            self.most = max(self.most, len(marks))
            tasks = Counter(mark.rsplit(".", 2)[0] for mark in marks)
            self.doubled |= {task for task, count in tasks.items() if count > 1}
            self.drafts |= set(drafts(self._home))


def drafts(home: Path) -> list[Draft]:
    """What stands in the trees of agents now. A file counts once it is whole: its text ends with a line's end."""
    found = []
    for card in home.glob("*/orchestrate/trees/*/*.json"):
        with suppress(OSError, ValueError, KeyError):
            key = json.loads(card.read_text())["key"]
            attempt = f"a{key['attempt']}-f{key['fence']}"
            for file in card.with_suffix("").glob("src/*.*"):
                text = file.read_text()
                # What the base or an earlier attempt has brought along is somebody else's.
                if text.endswith("\n") and f"{key['task']}.{key['attempt']}.{key['fence']} " in text:
                    found.append(Draft(key["run"], key["task"], attempt, f"src/{file.name}", text))
    return found
