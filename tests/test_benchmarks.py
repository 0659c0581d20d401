"""Every benchmark that needs no worker runs at its smallest size; nothing is asserted about speed.

Those with workers are tried by `make bench BENCH=--small`.
"""

from __future__ import annotations

import json
import math
import re
import socket
import statistics
from importlib import import_module

import pytest

from benchmarks.__main__ import NAMES, measure
from benchmarks.figure import Effort
from benchmarks.graphs import SLOTS, bound, chain, draw, guesses, waves
from benchmarks.page import PAGE, RESULTS, filled
from benchmarks.pictures import pictures
from benchmarks.table import table

#: These start a whole installation, or need what a machine may lack.
WITH_WORKERS = {"makespan", "latency", "cost", "startup", "memory", "audit_github", "api_points", "sandbox"}

QUICK = [name for name in NAMES if name not in WITH_WORKERS]


def test_every_benchmark_has_its_module() -> None:
    assert set(NAMES) >= WITH_WORKERS
    assert all(callable(import_module(f"benchmarks.figures.{name}").measure) for name in NAMES)


@pytest.mark.parametrize("name", QUICK)
def test_the_smallest_size_runs_and_fills_its_rows(name: str) -> None:
    found = measure(name, Effort(rounds=1, small=True))
    assert found["rows"] and found["conditions"] and found["machine"]["python"]
    assert all(row["figure"] and row["ours"] and row["goal"] for row in found["rows"])
    assert len(table({"results": {name: found}}).splitlines()) == 2 + len(found["rows"])


def test_what_cannot_be_measured_is_said_and_does_not_hide_the_others() -> None:
    rows = [{"figure": "f", "goal": "g", "ours": "o", "peer": "", "bound": "", "met": False}]
    text = table({"results": {"good": {"rows": rows}, "bad": {"rows": [], "error": "ValueError"}}})
    assert "bad could not be measured (ValueError)" in text and "no" in text


def test_the_bound_of_a_plan_is_what_no_order_can_beat() -> None:
    long = chain(3)
    assert bound([one._replace(seconds=2.0) for one in long]) == 6.0
    alone = [one._replace(seconds=1.0, blockers=()) for one in chain(20)]
    assert bound(alone) == 20 / SLOTS
    assert bound([one._replace(repo="r") for one in alone]) == 20.0


def test_how_wrong_a_guess_is_does_not_follow_from_the_length_that_is_guessed() -> None:
    plan = draw(3, 3000)
    guessed = guesses(plan, 3)
    lengths = [math.log(one.seconds) for one in plan]
    errors = [math.log(guessed[one.id] / one.seconds) for one in plan]
    assert abs(statistics.correlation(lengths, errors)) < 0.1 < statistics.stdev(errors)


def test_waves_keep_every_task_behind_its_blockers() -> None:
    plan = draw(3, 80, hot=True)
    place = {one.id: at for at, wave in enumerate(waves(plan)) for one in wave}
    assert len(place) == 80
    assert all(place[blocker] < place[one.id] for one in plan for blocker in one.blockers)


def test_the_page_and_its_pictures_show_the_last_results() -> None:
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page, kept) == page, "run `python -m benchmarks.page`"
    drawn = pictures(kept["results"])
    assert {name: (RESULTS.parent / name).read_text(encoding="utf-8") for name in drawn} == drawn


def test_no_result_names_the_machine_or_a_place_on_it() -> None:
    text = RESULTS.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|work|usr)\b", text)
    assert socket.gethostname() not in text


def test_every_make_target_of_the_page_exists() -> None:
    makefile = (RESULTS.parents[2] / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`make ([a-z-]+)", PAGE.read_text(encoding="utf-8")):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
