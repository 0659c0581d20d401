"""docs/performance.md and its pictures from the last results: `python -m benchmarks.page`.

What is written by hand in the page stays; the parts between its marks are made anew.
"""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.pictures import pictures
from benchmarks.table import cells

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "performance.md"
RESULTS = DOCS / "performance" / "results.json"


def main() -> None:
    """Write them."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))
    for name, text in pictures(kept["results"]).items():
        (RESULTS.parent / name).write_text(text, encoding="utf-8")
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), kept), encoding="utf-8")


def filled(page: str, kept: dict[str, Any]) -> str:
    """The page with its made parts as the results have them."""
    made = {"figures": figures(kept), "pictures": shown(kept), "conditions": conditions(kept), "peers": peers(kept)}
    for name, text in made.items():
        mark = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
        page = re.sub(mark, partial(_between, text), page, flags=re.DOTALL)
    return page


def _between(text: str, found: re.Match[str]) -> str:
    return f"{found[1]}{text}\n{found[2]}"


#: Beyond twice as much load, times are those of the machine's other work.
_CORES = 2

#: What each picture shows.
_SHOWN = {
    "slots.svg": "A bar is an attempt, a white gap a slot that waited: the random graph, with real workers.",
    "latency.svg": "From a settled blocker to the process of its dependant's agent.",
    "planning.svg": "Planning, from findings to tasks with graph, waves, ranks and modes.",
}


def shown(kept: dict[str, Any]) -> str:
    """The pictures there are, each below what it shows."""
    drawn = pictures(kept["results"])
    return "\n\n".join(f"{text}\n\n![{text}](performance/{name})" for name, text in _SHOWN.items() if name in drawn)


def figures(kept: dict[str, Any]) -> str:
    """The table of all figures."""
    lines = ["| figure | goal | ours | peer, same run | bound | met |", "|---|---|---|---|---|---|"]
    for found in kept["results"].values():
        lines += [f"| {' | '.join(cells(row))} |" for row in found["rows"]]
        if "error" in found:
            lines.append(f"| {found['name']} | | could not be measured ({found['error']}) | | | |")
    return "\n".join(lines)


def conditions(kept: dict[str, Any]) -> str:
    """How each was measured, and on what."""
    measured = [found for found in kept["results"].values() if "machine" in found]
    lines = [f"* **{found['name']}**: {found['conditions']}" for found in measured]
    loads = {name: float(found.get("machine", {}).get("load", 0)) for name, found in kept["results"].items()}
    busy = [name for name, load in loads.items() if load > 2 * _CORES]
    if busy:
        lines += ["", f"**The machine was busy with other work meanwhile** ({', '.join(busy)}): read no time of these."]
    machine = measured[-1]["machine"] if measured else {}
    return "\n".join([*lines, "", ", ".join(f"{name} {value}" for name, value in machine.items()) + "."])


def peers(kept: dict[str, Any]) -> str:
    """What others need for the same graphs; a peer that could not be run says why."""
    found = kept.get("peers", {})
    if not found:
        return "Not run: `make bench-peers`."
    shapes = list(found["shapes"])
    lines = [f"| engine | version | {' | '.join(shapes)} |", f"|---|---|{'---|' * len(shapes)}"]
    for name, one in found["engines"].items():
        told = [one["shapes"].get(shape, "–") for shape in shapes]
        lines.append(f"| {name} | {one['version']} | {' | '.join(told)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
