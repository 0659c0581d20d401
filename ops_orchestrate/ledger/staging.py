"""How a plan gets into the ledger: in one call, or in many short ones of which nobody sees anything before the last.

However large a plan is, no call that writes it holds the server for long; everybody else's calls go in between. What is
staged lies under the plan's own names, which are read only where the run says that it is planned, and expires if its
writer dies.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from ops_orchestrate.ledger.plan import PlanWriter
from ops_orchestrate.ledger.scripts import Scripts

#: Seconds that what is staged lives. No plan takes that long to be written, and no writer that is late comes back.
LIVES = 86_400


class Staging:
    """One writer of one plan. Another one that begins later takes over; then this one is refused."""

    def __init__(self, scripts: Scripts, plan: PlanWriter) -> None:
        self._scripts = scripts
        self._plan = plan
        self._writer = uuid.uuid4().hex

    def store(self, end: Sequence[str]) -> bool:
        """Write everything and show it; `end`: what the last call says of the whole plan. False if refused.

        Raises UnknownRun.
        """
        chunks = self._plan.chunks()
        chunk, number = next(chunks), 1
        for following in chunks:
            if not self._write(number, chunk):
                return False
            chunk, number = following, number + 1
        if number == 1:
            return self._write(1, chunk, end)
        return self._write(number, chunk) and self._write(number + 1, ["0", "", ""], end)

    def _write(self, number: int, chunk: Sequence[str], end: Sequence[str] = ()) -> bool:
        args = [self._plan.run, self._writer, str(number), str(LIVES), str(len(end)), *end, *chunk]
        return self._scripts.flag("plan_write", *args)
