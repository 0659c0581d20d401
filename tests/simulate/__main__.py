"""`make simulate`: prints the figures; exit code 1 if a mutant lives or anything went wrong behind a ruleset."""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.simulate.figures import kill_all, survey_all, table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulate", description=__doc__)
    parser.add_argument("--worlds", type=int, default=100_000, help="worlds of each kind")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--kills", type=int, default=5, help="seeds from which each mutant is hunted; 0: none")
    parser.add_argument("--budget", type=int, default=2000, help="worlds that a mutant may live")
    asked = parser.parse_args()
    began = time.monotonic()

    def tell(text: str) -> None:
        print(f"[{time.monotonic() - began:6.0f} s] {text}", file=sys.stderr, flush=True)

    kills = kill_all(asked.seed, asked.kills, asked.budget, asked.processes) if asked.kills else []
    figures = survey_all(asked.seed, asked.worlds, asked.processes, tell) if asked.worlds else []
    for line in table(figures, kills):
        print(line)
    guarded = any(part.ruleset and part.bad_worlds for part in figures)
    return 1 if guarded or not all(kill.killed for kill in kills) else 0


if __name__ == "__main__":
    sys.exit(main())
