"""Uses a stack whose disk runs full and is freed again. Argument: a folder on a small disk of its own.

Says at each step, as one line, what the stack says of it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import redis

from ops_orchestrate.adapters.stack import Stack
from ops_orchestrate.config import Settings

folder = Path(sys.argv[1])
filler = folder / "filler"


def write(url: str, name: str) -> bool:
    try:
        with redis.Redis.from_url(url) as client:
            return bool(client.set(name, "x" * 100_000))
    except redis.RedisError:
        return False


with Stack.open(Settings(data_dir=folder, grace=0.5, lease=3, heartbeat=1), workers=[]) as stack:
    print("kept", write(stack.urls.ledger, "kept"))
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(100_000))
        except OSError as error:
            print("filled", error.strerror)
    print("refused", not write(stack.urls.ledger, "lost"))
    print("problem", stack.problem())
    filler.unlink()
    deadline = time.monotonic() + 20
    while not write(stack.urls.ledger, "again") and time.monotonic() < deadline:
        time.sleep(0.05)
    with redis.Redis.from_url(stack.urls.ledger) as client:
        print("back", sorted(key.decode() for key in client.keys("[a-z]*")))
    print("problem", stack.problem() or "none")
