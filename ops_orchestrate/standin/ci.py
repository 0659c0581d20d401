"""The CI service: starts what the profiles say, ends it when due or released, reruns it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ops_orchestrate.standin.check import PASSING, CheckRun, Run, Status, Suite
from ops_orchestrate.standin.people import App, User
from ops_orchestrate.standin.profile import Content, JobPlan, Profile, StatusPlan, judged
from ops_orchestrate.standin.repository import Repository
from ops_orchestrate.standin.world import ACTIONS, World


@dataclass(eq=False)
class Work:
    """Something that will happen: at `due`, or when released (None)."""

    repository: Repository
    sha: str
    workflow: str
    job: str
    what: str
    due: float | None
    act: Callable[[str | None], None]
    waits: Callable[[], bool] = lambda: False

    def as_json(self) -> dict[str, Any]:
        """For the control side."""
        names = {"repository": self.repository.full_name, "sha": self.sha, "workflow": self.workflow}
        return {**names, "job": self.job, "what": self.what, "due": self.due}


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why workflows start: the event, the branch they show, the commit, who did it, the pull request if it is one."""

    event: str
    head: str
    sha: str
    by: User
    pull: int | None = None


class CI:
    """Everything that is still to come."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.pending: list[Work] = []

    def happened(self, repository: Repository, branch: str, occasion: Occasion) -> None:
        """Something happened that workflows may run on: `branch` (of a pull request its base) decides."""
        for profile in repository.profiles:
            if profile.wants(occasion.event, branch):
                self._register(repository, profile, occasion)

    def _register(self, repository: Repository, profile: Profile, occasion: Occasion) -> None:
        def act(_: str | None) -> None:
            start_run(self, repository, profile, occasion)

        late = profile.register_seconds > 0 or profile.register_hold
        if not late:
            act(None)
            return
        due = None if profile.register_hold else self.world.now() + profile.register_seconds
        self.pending.append(Work(repository, occasion.sha, profile.workflow, "", "register", due, act))

    def plan_job(self, profile: Profile, run: Run | None, job: CheckRun, plan: JobPlan) -> None:
        """Let a queued job end as planned, after what it needs."""
        jobs = run.jobs if run else [job]

        def waits() -> bool:
            return any(other.name in plan.needs and other.status != "completed" for other in jobs)

        def act(conclusion: str | None) -> None:
            failed = any(other.name in plan.needs and other.conclusion not in PASSING for other in jobs)
            content = Content(job.suite.repository.bare, job.head_sha)
            ends = conclusion or ("skipped" if failed else judged(plan.result, content, job.attempt))
            finish(self.world, job, ends, plan.log)

        due = None if plan.hold else self.world.now() + plan.seconds
        where = (job.suite.repository, job.head_sha, profile.workflow)
        self.pending.append(Work(*where, job.name, "finish", due, act, waits))

    def plan_status(self, repository: Repository, sha: str, profile: Profile, plan: StatusPlan) -> None:
        """Set a status pending now and as planned later."""
        said = {"description": plan.description, "target_url": plan.target_url}

        def set_to(state: str) -> None:
            creator = self.world.user(plan.creator, "Bot")
            set_status(self.world, repository, sha, context=plan.context, state=state, creator=creator, **said)

        def act(state: str | None) -> None:
            set_to(state or judged(plan.result, Content(repository.bare, sha), 1))

        set_to("pending")
        due = None if plan.hold else self.world.now() + plan.seconds
        self.pending.append(Work(repository, sha, profile.workflow, plan.context, "status", due, act))

    def advance(self) -> bool:
        """Do everything that is due by now; whether anything was."""
        moved = False
        while True:
            now = self.world.now()
            due = next((w for w in self.pending if w.due is not None and w.due <= now and not w.waits()), None)
            if due is None:
                return moved
            self.pending.remove(due)
            due.act(None)
            moved = True

    def next_due(self) -> float | None:
        """When the next thing happens by itself, or None."""
        return min((w.due for w in self.pending if w.due is not None and not w.waits()), default=None)

    def release(self, result: str | None = None, **match: str | None) -> int:
        """Let held (or later) work happen now, with a result of one's own if wanted; how much it was."""
        chosen = [w for w in self.pending if all(v in {None, w.as_json()[k]} for k, v in match.items())]
        chosen.sort(key=lambda work: work.waits())
        for work in chosen:
            self.pending.remove(work)
            work.act(result)
        return len(chosen)


def start_run(ci: CI, repository: Repository, profile: Profile, occasion: Occasion) -> None:
    """Create the suite, run, jobs and statuses of a profile."""
    world, app, sha = ci.world, _app(ci.world, profile.app), occasion.sha
    number, node = world.ids("CS")
    suite = world.keep(
        Suite(number, node, repository, app, sha, occasion.head, profile=profile, created_at=world.now())
    )
    repository.suites.append(suite)
    run = None
    if app.id == ACTIONS and (profile.jobs or profile.startup_failure):
        run = suite.run = _new_run(world, suite, profile, occasion)
        repository.runs[run.id] = run
        facts = {"run": run.id, "workflow": profile.workflow, "sha": sha, "event": occasion.event}
        world.effect("run-started", repository, occasion.by, **facts)
    if not profile.startup_failure:
        _start_jobs(ci, suite, run, profile, profile.jobs)
    for status in profile.statuses:
        ci.plan_status(repository, sha, profile, status)


def _start_jobs(ci: CI, suite: Suite, run: Run | None, profile: Profile, plans: tuple[JobPlan, ...]) -> None:
    made = [(new_job(ci.world, suite, plan, len(run.attempts) if run else 1), plan) for plan in plans]
    if run:
        run.jobs.extend(job for job, _ in made)
    for job, plan in made:
        suite.repository.check_runs[job.id] = job
        ci.plan_job(profile, run, job, plan)


def _app(world: World, slug: str | None) -> App:
    if slug is None:
        return world.apps[ACTIONS]
    found = next((app for app in world.apps.values() if app.slug == slug), None)
    if found is None:
        number, node = world.ids("A")
        found = world.apps[number] = App(number, node, slug, world.user("github", "Organization"))
    return found


def _new_run(world: World, suite: Suite, profile: Profile, occasion: Occasion) -> Run:
    repository, pull = suite.repository, occasion.pull
    number, node = world.ids("WFR")
    workflow = repository.workflows.setdefault(profile.path, world.next_id())
    now, title = world.now(), repository.bare.commit(suite.head_sha).message.split("\n")[0]
    if pull is not None:
        title = repository.pulls[pull].title
    run = Run(
        number, node, suite, workflow, profile.workflow, profile.path, occasion.event,
        number=1 + sum(1 for one in repository.runs.values() if one.workflow_id == workflow),
        actor=occasion.by, title=title, created_at=now, updated_at=now, pulls=(pull,) if pull is not None else (),
    )  # fmt: skip
    run.attempts, run.started = [[]], [now]
    run.forced = "startup_failure" if profile.startup_failure else None
    return world.keep(run)


def new_job(world: World, suite: Suite, plan: JobPlan, attempt: int) -> CheckRun:
    """A queued job of a plan."""
    number, node = world.ids("CR")
    job = CheckRun(number, node, suite, plan.name, "queued", None, world.now(), attempt=attempt, plan=plan)
    job.started_at = world.now()
    job.steps = [(step, "") for step in plan.steps]
    job.runner = plan.runner
    return world.keep(job)


def finish(world: World, job: CheckRun, conclusion: str, log: str | None = None) -> None:
    """End a job; an end that is a running state (`in_progress`) only moves it there."""
    now = world.now()
    if conclusion in {"queued", "in_progress", "waiting", "pending", "requested"}:
        job.status, job.conclusion, job.completed_at = conclusion, None, None
    else:
        job.status, job.conclusion, job.completed_at = "completed", conclusion, now
        _finish_steps(job, conclusion)
        job.log = _log(job, conclusion) if log is None else log
        said = job.plan.annotation if job.plan else None
        if (conclusion == "failure" or said) and not job.annotations:
            job.annotations.append(_annotation(said or "Process completed with exit code 1."))
    if job.suite.run:
        job.suite.run.updated_at = now
    world.effect("check", job.suite.repository, None, check=job.id, name=job.name, sha=job.head_sha, to=conclusion)


def _finish_steps(job: CheckRun, conclusion: str) -> None:
    names = [name for name, _ in job.steps]
    if conclusion == "skipped":
        job.steps = []
        return
    middle = len(names) // 2
    job.steps = [
        (name, "success" if i < middle or conclusion in PASSING else conclusion if i == middle else "skipped")
        for i, name in enumerate(names)
    ]


def _log(job: CheckRun, conclusion: str) -> str:
    lines = [f"2026-01-01T00:00:0{min(i, 9)}.0000000Z ##[group]{name}" for i, (name, _) in enumerate(job.steps)]
    if conclusion == "failure":
        lines.append("2026-01-01T00:00:09.0000000Z ##[error]Process completed with exit code 1.")
    return "\n".join(lines) + "\n"


def _annotation(message: str) -> dict[str, object]:
    place = {"path": ".github", "start_line": 1, "end_line": 1, "start_column": None, "end_column": None}
    text = {"title": "", "message": message, "raw_details": ""}
    return {**place, "annotation_level": "failure", **text}


def rerun(ci: CI, run: Run, by: User, only_failed: bool) -> None:
    """A new attempt: what has passed is carried over under new numbers, the rest runs again."""
    world, suite, before = ci.world, run.suite, run.jobs
    again = {j.name for j in before if not only_failed or j.conclusion not in PASSING or j.conclusion == "skipped"}
    run.attempts.append([])
    run.started.append(world.now())
    run.updated_at, run.forced = world.now(), None
    profile = suite.profile or Profile()
    plans = tuple(job.plan for job in before if job.plan and job.name in again)
    for job in before:
        if job.name not in again and job.plan:
            kept = new_job(world, suite, job.plan, len(run.attempts))
            kept.status, kept.conclusion, kept.completed_at = "completed", job.conclusion, world.now()
            kept.log, kept.steps = job.log, job.steps
            run.jobs.append(kept)
            suite.repository.check_runs[kept.id] = kept
    _start_jobs(ci, suite, run, profile, plans)
    world.effect("rerun", suite.repository, by, run=run.id, attempt=len(run.attempts), jobs=sorted(again))


def set_status(
    world: World,
    repository: Repository,
    sha: str,
    *,
    context: str,
    state: str,
    creator: User,
    description: str | None = None,
    target_url: str | None = None,
) -> Status:
    """Add a commit status."""
    number, node = world.ids("SC")
    status = world.keep(
        Status(number, node, repository, sha, context, state, creator, world.now(), description, target_url)
    )
    repository.statuses.append(status)
    world.effect("status", repository, creator, sha=sha, context=context, state=state)
    return status
