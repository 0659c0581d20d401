"""Uses a stack from a process of its own. Arguments: data directory, a worker's journal, its manner, and
`throwaway` for a stack that leaves nothing.

Says what it found as one JSON line, and leaves when its standard input ends.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from ops_orchestrate.adapters.stack import Stack, WorkerSpec, throwaway
from ops_orchestrate.adapters.stack_files import read_status
from ops_orchestrate.adapters.state_dir import StateDir
from ops_orchestrate.config import Settings
from ops_orchestrate.errors import OpsError

data, journal, manner = sys.argv[1:4]
settings = Settings(data_dir=Path(data), grace=0.5, lease=3, heartbeat=1)
worker = str(Path(__file__).with_name("stack_worker.py"))
spec = WorkerSpec(name="stand-in", argv=(sys.executable, worker, journal, manner))
try:
    opened = throwaway if sys.argv[4:] == ["throwaway"] else Stack.open
    with opened(settings, workers=[spec]) as stack:
        status = read_status(StateDir.at(settings.state_dir))
        found = {
            "pid": os.getpid(),
            "keeper": status.keeper.pid if status else 0,
            "server": stack.server.process.pid if stack.server.process else 0,
            "ledger": stack.urls.ledger,
        }
        print(json.dumps(found), flush=True)
        sys.stdin.read()
except OpsError as error:
    print(json.dumps({"error": str(error)}), flush=True)
    sys.exit(1)
