"""`make chaos`: throws faults at seeded worlds, prints the figures, and says what must not be. Exit code 1 if anything.

OPS_CHAOS_SEEDS="1 2 3" OPS_CHAOS_KILLS=60 OPS_CHAOS_SWEEP=1 make chaos
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

import redis

from tests.chaos.checker import outages, violations
from tests.chaos.fault import Fault
from tests.chaos.nemesis import FAULTS
from tests.chaos.points import UNANSWERED, common_points, every_point
from tests.chaos.record import Record
from tests.chaos.sweep import sweep_all
from tests.chaos.table import Figures, rows
from tests.chaos.takedown import record_of
from tests.chaos.world import World

SEEDS = [int(word) for word in os.environ.get("OPS_CHAOS_SEEDS", "1 2 3").split()]
KILLS = int(os.environ.get("OPS_CHAOS_KILLS", "60"))
SWEEP = os.environ.get("OPS_CHAOS_SWEEP", "1") == "1"
#: Runs that are open and commands that follow one, together; so there is always something to disturb.
_OPEN = 4
_TASKS = 4
_ARMED = 3
"""Crash points that are armed at once."""
_CALM = 420.0
"""Seconds after the last fault, after which what has not ended is lost."""


def main() -> int:
    """Exit code 1 where something must not be, or a crash point was not hit."""
    figures = Figures()
    began = time.monotonic()
    swept, bad = sweep_all() if SWEEP else (set(), [])
    figures.points |= swept
    figures.faults["an effect, one moment after the other"] += len(swept)
    print(f"swept: {len(swept)} of {len(every_point())} crash points, {len(bad)} violations", flush=True)
    count = len(bad) + (len(every_point()) - len(swept) if SWEEP else 0)
    for seed in SEEDS:
        count += _play(seed, figures)
    figures.seconds = time.monotonic() - began
    print("\n" + rows(figures), flush=True)
    return 1 if count or not figures.merges else 0


def _play(seed: int, figures: Figures) -> int:
    """One world; how many violations."""
    world = World(seed)
    try:
        world.start()
        faults = _torment(world, random.Random(seed), figures.points_in_workers)
        calm = time.monotonic()
        world.until(lambda: world.open_runs() == 0, _CALM)
        figures.calm.append(time.monotonic() - calm)
        world.until(lambda: not list(world.home.glob("*/orchestrate/trees/*/*.json")), 15)
        record = record_of(world)
        found = violations(record)
        _sum_up(figures, world, record, faults, found)
        count = sum(map(len, found.values()))
        print(f"seed {seed}: {faults.total()} faults, {len(record.events)} runs, {count} violations", flush=True)
        for name, sentences in found.items():
            for sentence in sentences:
                print(f"seed {seed}: {name}: {sentence}", flush=True)
        if count:
            _keep(world, record, seed)
        return count
    finally:
        world.close()


def _torment(world: World, rng: random.Random, hit: set[str]) -> Counter[str]:
    """Faults, one after the other, while there is always work; which ones, how often."""
    done: Counter[str] = Counter()
    world.batch(_TASKS)
    while done.total() + len(world.points.hit()) < KILLS:
        time.sleep(rng.uniform(0.1, 1.0))
        left = sorted(set(common_points()) - hit - world.points.hit() - world.points.armed())
        for name in rng.sample(left, min(len(left), max(0, _ARMED - len(world.points.armed())))):
            world.points.arm(name)
        fault = rng.choice(FAULTS)
        done[fault.name] += _strike(fault, world, rng)
        if world.open_runs() < _OPEN:
            world.batch(_TASKS)
    world.heal()
    for name in world.points.hit():
        done["the answer of an effect lost" if name.endswith(UNANSWERED) else "SIGKILL beside an effect"] += 1
    return +done


def _strike(fault: Fault, world: World, rng: random.Random) -> bool:
    """A server that is away is struck already."""
    try:
        return fault.strike(world, rng)
    except redis.RedisError:
        return False


def _sum_up(figures: Figures, world: World, record: Record, faults: Counter[str], found: dict[str, list[str]]) -> None:
    events = [event for run in record.events.values() for event in run]
    kinds = Counter(event["kind"] for event in events)
    figures.worlds += 1
    figures.points_in_workers |= world.points.hit()
    figures.skipped |= world.missing()
    figures.faults += faults
    figures.violations += Counter({name: len(sentences) for name, sentences in found.items()})
    figures.outcomes += Counter(e["data"]["outcome"] for e in events if e["kind"] == "attempt.ended")
    figures.restarts += world.watchman.restarts
    figures.runs += len(record.events)
    figures.tasks += kinds["task.planned"]
    figures.merges += kinds["merge.proved"]
    figures.most_agents = max(figures.most_agents, record.most_agents)
    figures.outages += outages(record)


def _keep(world: World, record: Record, seed: int) -> None:
    """What there is to know where something must not be: logs and events, in a folder of the seed."""
    place = Path(os.environ.get("OPS_CHAOS_KEEP", "/tmp/ops-chaos")) / str(seed)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for log in world.home.glob("*.log"):
        shutil.copy(log, place)
    for run, events in record.events.items():
        (place / f"{run}.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    print(f"seed {seed}: logs are in {place}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
