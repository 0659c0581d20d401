"""`python -m benchmarks [NAME …]`: run these benchmarks (all by default), print one table, write one JSON file.

Each runs in a process of its own, so that none inherits another's memory or imports, and one that breaks is reported
in its place. A run of some replaces their part of the file and leaves the rest.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.figure import Effort
from benchmarks.machine import described
from benchmarks.table import table

#: In the order of the table. What is long comes first, so that a broken one is seen early.
NAMES = (
    "makespan",
    "ranking",
    "latency",
    "cost",
    "planning",
    "audit_local",
    "audit_github",
    "api_points",
    "tree",
    "sandbox",
    "startup",
    "memory",
    "scale",
)

RESULTS = Path(__file__).parents[1] / "docs" / "performance" / "results.json"

#: Seconds that one of them may take.
_PATIENCE = 600


def main(argv: list[str]) -> int:
    """Exit 1 where one could not be measured; a goal that is missed is a figure, not a failure."""
    options = _options(argv)
    if options.inside:
        result = measure(options.names[0], Effort(options.rounds, options.small))
        sys.stdout.write(json.dumps(result))
        return 0
    kept = _read(options.json)
    broken = []
    for name in options.names or NAMES:
        began = time.monotonic()
        print(f"{name} …", end=" ", file=sys.stderr, flush=True)
        found = _apart(name, options)
        print(f"{'broken' if 'error' in found else 'done'} in {time.monotonic() - began:.0f} s", file=sys.stderr)
        broken += [name] if "error" in found else []
        _keep(kept, name, found, options.json)
    print(table(kept))
    return 1 if broken else 0


def measure(name: str, effort: Effort) -> dict[str, Any]:
    """Run one benchmark in this process."""
    found: dict[str, Any] = import_module(f"benchmarks.figures.{name}").measure(effort).as_json()
    return found | {"machine": described()}


def _apart(name: str, options: argparse.Namespace) -> dict[str, Any]:
    small = ["--small"] if options.small else []
    argv = [sys.executable, "-m", "benchmarks", name, "--inside", f"--rounds={options.rounds}", *small]
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, check=True, timeout=_PATIENCE)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, ValueError, IndexError) as error:
        return {"name": name, "rows": [], "error": type(error).__name__}
    return found


def _keep(kept: dict[str, Any], name: str, found: dict[str, Any], file: Path) -> None:
    """After each, so that whoever stops it has what was measured."""
    results = {**kept["results"], name: found}
    kept["results"] = {name: results[name] for name in NAMES if name in results}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(kept, indent=1) + "\n")


def _read(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_text())
    except (OSError, ValueError):
        return {"results": {}}
    return found


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement; the table shows the median")
    parser.add_argument("--small", action="store_true", help="the smallest size: shows that it runs, measures nothing")
    parser.add_argument("--json", type=Path, default=RESULTS, help="where the results are kept")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; they are {', '.join(NAMES)}")
    return options


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
