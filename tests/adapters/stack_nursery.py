"""Stands in for the workers' nursery: its forks write what they are into a file, and then behave like stack_worker.py.

Arguments: the file. A fork ends at once with code 3 where it is named `brief`.
"""

from __future__ import annotations

import json
import os
import runpy
import socket
import sys
from pathlib import Path

from ops_orchestrate.adapters.nursery import NURSERY, serve

journal = Path(sys.argv[1])
name = serve(socket.socket(fileno=int(os.environ.pop(NURSERY))))
if name == "brief":
    sys.exit(3)
if name:
    facts = {"name": name, "pid": os.getpid(), "parent": os.getppid(), "session": os.getsid(0), "env": dict(os.environ)}
    with journal.with_suffix(".forks").open("a") as file:
        file.write(json.dumps(facts) + "\n")
    print("said by", name, flush=True)
    sys.argv = ["stack_worker.py", str(journal), "good"]
    runpy.run_path(str(Path(__file__).with_name("stack_worker.py")), run_name="__main__")
