"""Scenes in which each effect that leaves a process occurs, walked through in one process, and how each must end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread

from pydantic import SecretStr

from ops_orchestrate.adapters.linear.tracker import LinearTracker
from ops_orchestrate.adapters.sentry.aftermath import SentryAftermath
from ops_orchestrate.core.finding import AuditPart
from ops_orchestrate.core.project import Project
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.engine.salvage import sweep
from ops_orchestrate.ports.aftermath import Tracker
from ops_orchestrate.report.check import violations
from ops_orchestrate.standin.profile import JobPlan
from tests.adapters.sources.conftest import settings_for, tokens
from tests.builders import make_finding, make_part
from tests.engine.forge_rig import JOB
from tests.engine.nemesis import merged
from tests.engine.promotions import held_at_main, newer_head
from tests.engine.rig import requested, work
from tests.engine.walk import Died, Walk
from tests.repos import git
from tests.standins import linear as linears
from tests.standins import sentry as sentries
from workers import night

_NUMBERS = count(1)
_SECONDS = 60.0

Arm = Callable[[], None]


@dataclass(frozen=True)
class Scene:
    """Something that a run does, and the effects that it has. `play` says what is wrong with how it ended."""

    name: str
    points: tuple[str, ...]
    play: Callable[[Walk, Arm], list[str]]


def _ended(walk: Walk, run: str, *tasks: str) -> list[str]:
    """Walk to the end; what is not as it should be."""
    events = walk.finish(run, _SECONDS)
    with suppress(Died):
        sweep(walk.tools)
    sweep(walk.tools)
    states = {task: walk.task(run, task).state for task in tasks or ("go",)}
    bad = [
        f"{task} is {state}: {walk.task(run, task).reason}" for task, state in states.items() if state != "completed"
    ]
    trees = list((walk.rig.settings.state_dir / "trees").glob("*/*.json"))
    return [*bad, *violations(events), *(f"{tree.name} is left over" for tree in trees)]


def _once(walk: Walk, pulls: int = 1) -> list[str]:
    """The forge's record: so many pull requests, each merged once."""
    numbers = [str(number) for number in walk.pulls()]
    good = len(numbers) == pulls and walk.forge.merges() == numbers
    return [] if good else [f"pull requests {numbers}, merges {walk.forge.merges()}"]


def _change(walk: Walk, arm: Arm) -> list[str]:
    walk.forge.repository(f"sweep{next(_NUMBERS)}")
    run = walk.go()
    arm()
    found = _ended(walk, run) + _once(walk)
    left = walk.control.repository(walk.slug).branch(f"ops/{run}/go")
    return found + ([f"its branch is left at {left}"] if left else [])


def _join(walk: Walk, arm: Arm) -> list[str]:
    number = next(_NUMBERS)
    names = [f"j{number}-{letter}" for letter in "abc"]
    walk.rig.play({name: [work(name)] for name in names})
    tasks = [requested(names[0]), requested(names[1]), requested(names[2], blocked_by=names[:2])]
    run = walk.begin(tasks, portfolio=walk.rig.portfolio("app"))
    arm()
    found = _ended(walk, run, *names)
    counts = merged(walk.rig.upstreams["app"], run)
    return found + ([] if counts == dict.fromkeys(names, 1) else [f"merged: {dict(counts)}"])


def _flaky(walk: Walk, arm: Arm) -> list[str]:
    walk.forge.repository(f"sweep{next(_NUMBERS)}", JobPlan("test", result=["cancelled", "success"]))
    run = walk.go()
    arm()
    found = _ended(walk, run) + _once(walk)
    reruns = len(walk.control.journal.effects("rerun", walk.slug))
    return found + ([f"run again {reruns} times"] if reruns > 1 else [])


def _queue(walk: Walk, arm: Arm) -> list[str]:
    walk.forge.repository(f"sweep{next(_NUMBERS)}")
    walk.control.unprotect(walk.slug)
    walk.control.protect(walk.slug, "dev", checks=["test"], merge_queue=True)
    walk.control.repository(walk.slug).profiles.clear()
    walk.control.ci(walk.slug, jobs=[JobPlan("test")], on=["pull_request", "merge_group"])
    run = walk.go()
    arm()
    return _ended(walk, run) + _once(walk)


def _thread(walk: Walk, arm: Arm) -> list[str]:
    walk.forge.repository(f"sweep{next(_NUMBERS)}", JobPlan("test", hold=True))
    walk.rig.play({"*": [work("any"), work("any", path="src/mended.txt")]})
    run = walk.go()
    walk.until(lambda: walk.pulls() == [1])
    walk.until(lambda: walk.looks(run, "pending"))
    thread = walk.control.thread(walk.slug, 1, "rita", "Why is this so?", path="src/any.txt")
    walk.control.release(walk.slug)
    walk.until(lambda: walk.task(run).attempt == 2)
    walk.control.repository(walk.slug).profiles.clear()
    walk.control.ci(walk.slug, jobs=[JobPlan("test")], on=["pull_request"])
    arm()
    found = _ended(walk, run) + _once(walk)
    said = len(thread.comments)
    return found + ([] if (said, bool(thread.resolved)) == (2, True) else [f"{said} comments, {thread.resolved=}"])


def _salvage(walk: Walk, arm: Arm) -> list[str]:
    walk.forge.repository(f"sweep{next(_NUMBERS)}")
    half = [{"write": {"path": "src/half.txt", "text": "half\n"}}, {"exit": {"code": 1}}]
    walk.rig.play({"*": [half, work("any")]})
    run = walk.go()
    arm()
    found = _ended(walk, run) + _once(walk)
    mirrors = (walk.rig.settings.state_dir / "mirrors").glob(f"{walk.slug.split('/')[1]}*.git")
    kept = [git("grep", "-l", "half", ref, check=False, cwd=mirror) for mirror in mirrors for ref in _salvaged(mirror)]
    return found + ([] if any(kept) else ["what the first attempt made is gone"])


def _salvaged(mirror: Path) -> list[str]:
    return git("for-each-ref", "--format=%(refname)", "refs/ops/salvage/", cwd=mirror).splitlines()


def _promote(walk: Walk, arm: Arm) -> list[str]:
    walk.forge.repository(f"sweep{next(_NUMBERS)}", JOB, promote=True)
    run = walk.go()
    walk.until(lambda: walk.forge.merges() == ["1"])
    arm()
    found = _ended(walk, run) + _once(walk, pulls=2)
    return found + ([] if walk.forge.head("main") else ["main is gone"])


def _gone_on_with(walk: Walk, arm: Arm) -> list[str]:
    """An earlier run left a change to a reviewer; the next one merges it, and its text says so."""
    walk.forge.repository(f"sweep{next(_NUMBERS)}")
    walk.control.unprotect(walk.slug)
    walk.control.protect(walk.slug, "dev", checks=["test"], approvals=1)
    walk.finish(walk.go(), _SECONDS)
    walk.control.review(walk.slug, 1, "rita", "APPROVED")
    run = walk.go(tasks=[])
    arm()
    walk.finish(run, _SECONDS)
    found = _ended(walk, run, *(one.spec.id for one in walk.rig.ledger.tasks.all(run))) + _once(walk)
    body = walk.control.pull(walk.slug, 1).body
    return found + ([] if body.count(f"Run {run} goes on") == 1 else [f"its text is {body!r}"])


def _overtaken(walk: Walk, arm: Arm) -> list[str]:
    """A promotion waits for CI; dev moves on, and a newer one brings everything."""
    walk.forge.repository(f"sweep{next(_NUMBERS)}", JOB, promote=True)
    run = held_at_main(walk)
    arm()
    newer_head(walk, run)
    walk.until(lambda: not walk.control.pull(walk.slug, 2).open, _SECONDS)
    walk.until(lambda: walk.pulls() == [1, 2, 3], _SECONDS)
    walk.control.release(walk.slug)
    found = _ended(walk, run)
    return found + ([] if walk.forge.merges() == ["1", "3"] else [f"merges {walk.forge.merges()}"])


def _digest(walk: Walk, arm: Arm) -> list[str]:
    """Told once; twice where its teller dies as it has told it, since nobody can know; never not at all."""
    heard: list[str] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    walk.forge.repository(f"sweep{next(_NUMBERS)}")
    run = walk.go()
    walk.finish(run, _SECONDS)
    with ThreadingHTTPServer(("127.0.0.1", 0), Ear) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        settings = walk.tools.settings.model_copy(
            update={"notify": SecretStr(f"json://127.0.0.1:{server.server_port}")}
        )
        tools = replace(walk.tools, settings=settings)
        arm()
        for _ in range(4):
            with suppress(Died):
                night._follow(run, tools)
            time.sleep(settings.lease / 3)
        server.shutdown()
    return [] if len(heard) in (1, 2) else [f"told {len(heard)} times"]


@dataclass(frozen=True)
class _Told:
    """A source that has one thing to tell, which a merge closes there."""

    name: str
    closes: str
    repo: str

    def findings(self, projects: Sequence[Project], request: RunRequest) -> AuditPart:
        del projects, request
        one = make_finding(f"fp-{self.repo}", project=self.repo, repo=self.repo, closes=(self.closes,), task_id="go")
        return make_part(f"source:{self.name}", one)


def _ticket(walk: Walk, arm: Arm) -> list[str]:
    with linears.linear() as standin:
        ticket = standin.add("ENG-12")
        tracker = LinearTracker(settings_for(standin), tokens())
        return _closed(walk, arm, tracker, "linear:ENG-12") + ([] if ticket.state != "unstarted" else ["it is open"])


def _error(walk: Walk, arm: Arm) -> list[str]:
    with sentries.sentry() as standin:
        issue = standin.add(1)
        tracker = SentryAftermath(settings_for(standin), tokens())
        found = _closed(walk, arm, tracker, f"sentry:{issue.id}")
        return found + ([] if issue.status == "resolved" else ["it is not resolved"])


def _closed(walk: Walk, arm: Arm, tracker: Tracker, closes: str) -> list[str]:
    """A merge closes something elsewhere. Without an answer that is only said: the work is done."""
    walk.forge.repository(f"sweep{next(_NUMBERS)}")
    portfolio, before = walk.forge.portfolio(), walk.tools
    (project,) = portfolio.projects
    named = {"linear_team": "eng"} if tracker.name == "linear" else {"sentry_project": "shop"}
    told = _Told(tracker.name, closes, project.alias)
    sources = {name: told if name == tracker.name else one for name, one in before.sources.items()}
    walk.tools = replace(before, trackers={tracker.name: tracker}, sources=sources)
    try:
        run = walk.begin([], portfolio=portfolio.model_copy(update={"projects": (project.model_copy(update=named),)}))
        arm()
        return _ended(walk, run) + _once(walk)
    finally:
        walk.tools = before


SCENES = (
    Scene(
        "a change",
        (
            "push a change's head", "open a pull request", "merge a pull request", "remove a merged branch",
            "start an agent", "make a tree", "bring an agent's commits home", "remove a tree", "publish a job",
            "open an audit",
        ),
        _change,
    ),
    Scene("a join without a forge", ("push a merge", "open a join", "return a part of a join"), _join),
    Scene("flaky CI", ("run failed jobs again",), _flaky),
    Scene("a merge queue", ("put into a merge queue",), _queue),
    Scene("a review", ("answer a review thread",), _thread),
    Scene("an agent that crashes", ("salvage an agent's work",), _salvage),
    Scene("a promotion", ("open a pull request", "merge a pull request"), _promote),
    Scene("a change of an earlier run", ("change a pull request's text",), _gone_on_with),
    Scene("a newer promotion", ("close an overtaken promotion",), _overtaken),
    Scene("a ticket", ("close a ticket",), _ticket),
    Scene("an error in production", ("resolve an error",), _error),
    Scene("the digest of a night", ("send the digest",), _digest),
)  # fmt: skip
