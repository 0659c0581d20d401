"""`make hostile`: plays every hostile agent, guarded and unguarded, and prints what each did and the figures."""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.hostile.stage import ALL, CANARIES, played


def play(work: tuple[str, bool]) -> tuple[bool, bool, set[str]]:
    """One of them, in a folder of its own that is gone afterwards."""
    name, guarded = work
    with tempfile.TemporaryDirectory(prefix="hostile-", ignore_cleanup_errors=True) as folder:
        return played(Path(folder), name, guarded=guarded)[:3]


def main() -> int:
    """Exit code 1 where one that is guarded gets through, or one that is not does not."""
    figures = {}
    with ProcessPoolExecutor(2) as pool:
        for guarded in (True, False):
            word = "guarded" if guarded else "unguarded"
            leaked: set[str] = set()
            fired = 0
            for name, (tried, did, got) in zip(ALL, pool.map(play, [(name, guarded) for name in ALL]), strict=True):
                leaked |= got
                fired += did
                print(f"{word:9} {'FIRED' if did else 'kept ' if tried else 'NOT TRIED'}  {name}", *sorted(got))
            figures[word] = (fired, len(leaked))
            print(f"| {word} | {fired} of {len(ALL)} | {len(leaked)} of {len(CANARIES)} |", flush=True)
    return 0 if figures == {"guarded": (0, 0), "unguarded": (len(ALL), len(CANARIES))} else 1


if __name__ == "__main__":
    sys.exit(main())
