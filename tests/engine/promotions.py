"""Promotions that wait, for whoever wants something to happen to one."""

from __future__ import annotations

from ops_orchestrate.engine.promotion.book import remember
from ops_orchestrate.standin.profile import JobPlan
from tests.engine.walk import Walk


def held_at_main(walk: Walk) -> str:
    """A run whose promotion waits for CI."""
    walk.control.repository(walk.slug).profiles.clear()
    walk.control.ci(walk.slug, jobs=[JobPlan("test")], on=["pull_request"], branches=["dev"])
    walk.control.ci(walk.slug, jobs=[JobPlan("test", hold=True)], on=["pull_request"], branches=["main"])
    run = walk.go()
    walk.until(lambda: walk.pulls() == [1, 2])
    return run


def newer_head(walk: Walk, run: str) -> None:
    """Integration moves while the promotion waits, and a person says yes to what it is now."""
    walk.control.push(walk.slug, "dev", {"later.txt": "x"}, by="rita")
    key = walk.forge.portfolio().projects[0].repositories[0].key
    walk.tools.workshop.refresh(walk.forge.portfolio().projects[0].repositories[0])
    remember(run, key, walk.tools, approved=walk.forge.head("dev"))
