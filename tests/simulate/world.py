"""One world from one seed, and its verdict. The same seed is the same world, to the last event."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from ops_orchestrate.core.merge.snapshot import MergePolicy
from tests.simulate.ci import Ci
from tests.simulate.forge import START, Forge
from tests.simulate.ledger import Defect
from tests.simulate.loop import Loop
from tests.simulate.oracle import Oracle
from tests.simulate.views import Views
from tests.simulate.weather import People, draw, plan

#: Seconds that a world lasts.
HORIZON = 9000.0


@dataclass(slots=True)
class Outcome:
    """What came of one world."""

    seed: int
    ruleset: bool
    violations: list[tuple[str, int]] = field(default_factory=list)
    pulls: int = 0
    merges: int = 0
    looks: int = 0
    crashes: tuple[str, ...] = ()


def play(seed: int, *, ruleset: bool, defect: Defect | None = None, still: bool = False) -> Outcome:
    """Play it to the end. `still`: looks show the truth of now, and nothing changes before we have acted on them."""
    rng = random.Random(seed)
    weather = draw(rng)
    if still:
        weather.stale = False
    reviews, force = rng.random() < 0.5, rng.random() < 0.5
    forge = Forge(rng.getrandbits(48), ruleset=ruleset, reviews=reviews)
    ci = Ci(forge, plan(rng, weather))
    people, views = People(forge, ci, weather), Views(forge, weather)
    oracle = Oracle(forge, force=force)
    policy = MergePolicy(
        integration="dev", expected_checks=ci.names, unprotected_ok=True, patience=1800.0, grace=120.0, settle=60.0
    )
    loop = Loop(
        forge, ci, people, views, oracle, weather=weather, policy=policy, defect=defect or Defect(), still=still
    )
    loop.poll = rng.choice((30.0, 60.0, 120.0))
    pulls = rng.randint(1, 2)
    for number in range(1, pulls + 1):
        people.open(number)
        loop.watch(number)
    loop.run(START + HORIZON)
    oracle.end()
    return Outcome(seed, ruleset, oracle.violations, pulls, oracle.merges, loop.looks, tuple(loop.crashed))
