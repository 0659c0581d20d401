"""Planning as a whole: findings in; tasks of a graph, in order, and reasons for what is left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.attempt import Settlement
from ops_orchestrate.core.crossref import Blocker, Left
from ops_orchestrate.core.finding import AuditPart, Finding, FindingKind
from ops_orchestrate.core.graph import Graph
from ops_orchestrate.core.project import Skipped
from ops_orchestrate.core.run import RequestedTask
from ops_orchestrate.core.sift import NOT_A_FIRE
from ops_orchestrate.core.states import FINAL, RUN_OPEN, STARTABLE, RunState, TaskState
from ops_orchestrate.core.structure import structure
from ops_orchestrate.core.task import Mode, Priority, TaskMode
from ops_orchestrate.errors import PlanError
from tests.builders import make_finding, make_part, make_portfolio, make_project, make_repository, make_request
from tests.core.plans import NOW, Claim, merged, plan_of, reasons, task_of, want


def test_a_task_carries_the_seeds_metadata() -> None:
    repository = make_repository("app", gate="make test", sensitive=("infra/",))
    finding = want(
        "fix-net",
        title="fix: net",
        detail="File: infra/net.tf",
        acceptance=("it works",),
        paths=("infra/net.tf",),
        priority="P1",
        label="P1-revenue",
        cause="c1",
    )
    request = make_request(portfolio=make_portfolio(make_project("app", repositories=(repository,))), mode=Mode.HYBRID)
    plan = structure(request, [make_part("one", finding, branches={"app": "dev"})], {}, {"app": 90.0}, NOW)
    (task,) = plan.tasks
    assert task.model_dump(exclude={"rank"}) == {
        "id": "fix-net",
        "project": "app",
        "repo": "app",
        "title": "fix: net",
        "description": "File: infra/net.tf",
        "acceptance": ("it works",),
        "paths": ("infra/net.tf",),
        "priority": Priority.P1,
        "label": "P1-revenue",
        "urgency": Priority.P1,
        "blocked_by": (),
        "mode": TaskMode.TEAM,
        "mode_reason": "a security reviewer reads along (the owner marked infra/net.tf)",
        "member": "app-worker",
        "wave": 0,
        "estimate": 90.0,
        "fingerprint": "fp-fix-net",
        "prints": (("fp-fix-net", "c1"),),
        "whole": (),
        "sources": ("tasks-file",),
        "sensitive": "the owner marked infra/net.tf",
        "human": None,
        "gate": "make test",
        "base": "dev",
        "change": "",
        "change_branch": "",
        "begun_at": "",
        "begun_by": "",
        "names": (),
        "closes": (),
        "cause": "c1",
        "fixes_base": False,
        "part_of": "",
        "parts": (),
        "split_by": "",
        "of_parts": 1,
        "big": "",
    }
    assert plan.takes == (("app", "fp-fix-net", "fix-net", "c1"),)
    assert (plan.blocked, plan.over, plan.skipped, plan.unknown, plan.notes) == ({}, (), (), (), ())


def test_globs_of_the_settings_count_beside_the_repositorys() -> None:
    part = make_part("one", want("a", paths=("infra/x",)))
    plan = structure(make_request(), [part], {}, {}, NOW, sensitive=["infra/"])
    assert plan.tasks[0].sensitive == "the owner marked infra/x"


def test_independent_work_is_one_wave_and_waits_for_nobody() -> None:
    projects = (make_project("app"), make_project("api"), make_project("web", consumes=("api",)))
    plan = plan_of(
        want("a"), want("b", project="api", repo="api"), want("c", project="web", repo="web"), projects=projects
    )
    assert {task.wave for task in plan.tasks} == {0}
    assert not any(task.blocked_by for task in plan.tasks)


def test_waves_follow_the_blockers_and_both_ends_of_a_hand_over_are_a_team() -> None:
    plan = plan_of(
        want("use", "make", project="web", repo="web"),
        want("make", project="api", repo="api"),
        want("docs", "use", "make", project="web", repo="web"),
        want("other"),
        mode=Mode.HYBRID,
    )
    assert [task.id for task in plan.tasks].index("make") < [task.id for task in plan.tasks].index("use")
    assert {task.id: task.wave for task in plan.tasks} == {"make": 0, "use": 1, "docs": 2, "other": 0}
    modes = {task.id: str(task.mode) for task in plan.tasks}
    assert modes == {"make": "team", "use": "team", "docs": "team", "other": "subagent"}


@pytest.mark.parametrize(
    ("findings", "message"),
    [
        ([want("a", "b"), want("b", "c"), want("c", "a")], "a waits for b, b waits for c, c waits for a"),
        ([want("a", "a")], "a waits for itself"),
        ([want("login"), want("b", "logn")], 'Did you mean "login"?'),
    ],
)
def test_what_is_no_graph_is_refused(findings: list[Finding], message: str) -> None:
    with pytest.raises(PlanError) as caught:
        plan_of(*findings)
    assert message in str(caught.value)


def test_what_only_a_person_can_do_is_planned_and_never_dispatched() -> None:
    plan = plan_of(want("a", human="sign the contract"), want("b", "a"))
    assert plan.blocked == {
        "a": Settlement(state=TaskState.BLOCKED, reason="sign the contract", ask="done"),
    }
    assert task_of(plan, "b").blocked_by == ("a",)


def test_what_a_stranger_asks_for_waits_for_a_persons_yes() -> None:
    held = make_finding("h" * 16, kind=FindingKind.ISSUE, hold="eve is not a collaborator", names=("github:a/b#1",))
    plan = plan_of(held, want("b", "github:a/b#1"))
    reason = "eve is not a collaborator"
    assert plan.blocked == {
        "app-issue-hhhhhh": Settlement(state=TaskState.BLOCKED, reason=reason, ask="dispatch"),
    }
    assert task_of(plan, "b").blocked_by == ("app-issue-hhhhhh",)
    waiting = held.model_copy(update={"blocked_by": ("fp-c",)})
    plan = plan_of(waiting, want("c"), claims={"fp-c": Claim(TaskState.BLOCKED)})
    (settled,) = plan.blocked.values()
    assert settled.ask == "dispatch"
    assert settled.reason.startswith(f"{reason}; it waits for c, which is left out: owned by run r0")


def test_merged_work_claims_all_of_its_fingerprints_and_any_of_them_tells_of_earlier_runs() -> None:
    issue = make_finding("f-issue", kind=FindingKind.ISSUE, names=("linear:ENG-1",), cause="i1")
    ticket = make_finding("f-ticket", kind=FindingKind.TICKET, names=("linear:ENG-1",), cause="t1")
    plan = plan_of(issue, ticket)
    (task,) = plan.tasks
    assert set(plan.takes) == {("app", "f-issue", task.id, "i1"), ("app", "f-ticket", task.id, "t1")}
    done = Claim(TaskState.COMPLETED, RunState.DONE, cause="i1")
    assert not plan_of(issue, ticket, claims={"f-issue": done}).tasks
    again = plan_of(issue, ticket, claims={"f-issue": done, "f-ticket": done._replace(cause="t0", task="t9")})
    assert len(again.tasks) == 1
    assert set(again.over) == {("r0", "t0"), ("r0", "t9")}
    asked = make_finding("f-asked", names=("linear:ENG-1",), task_id="a")
    assert not plan_of(asked, ticket, merged=[merged(("f-asked", ""))]).tasks
    assert not plan_of(asked, ticket, merged=[merged(("f-ticket", ticket.cause))]).tasks


def test_a_roadmap_in_circles_waits_for_a_person_and_the_rest_goes_on() -> None:
    kind = FindingKind.PHASE
    plan = plan_of(
        make_finding("f" * 16, kind=kind, blocked_by=("e" * 16,)),
        make_finding("e" * 16, kind=kind, blocked_by=("f" * 16,)),
        want("a"),
    )
    assert set(plan.blocked) == {"app-phase-eeeeee", "app-phase-ffffff"}
    assert all("wait for each other" in one.reason for one in plan.blocked.values())
    assert len(plan.tasks) == 3


def test_what_cannot_be_planned_is_listed_with_its_reason() -> None:
    plan = plan_of(
        want("a", repo="gone"),
        want("b", project="nobody"),
        want("c", paths=("../x",)),
        make_finding("d" * 16, kind=FindingKind.PHASE, project="api", repo="gone", title="Phase 1"),
    )
    assert plan.tasks == ()
    missing = "its repository is not in this run's registry"
    assert reasons(plan) == {
        "a": missing,
        "b": missing,
        "c": "its declared paths cannot be used: '../x' leads out of the repository (`..`)",
        "api: Phase 1": missing,
    }


def test_skipped_and_unknown_of_the_parts_are_kept_once() -> None:
    gone, mute = Skipped(name="p", reason="gone"), Skipped(name="sentry", reason="no token")
    parts = [AuditPart(part=name, skipped=(gone,), unknown=(mute,)) for name in ("b", "a")]
    plan = structure(make_request(), parts, {}, {}, NOW)
    assert (plan.skipped, plan.unknown) == ((gone,), (mute,))


def test_fires_only_keeps_fires_and_what_blocks_them() -> None:
    plan = plan_of(
        want("far"),
        want("near", "far", priority="P3"),
        want("fire", "near", priority="P0"),
        want("after", "fire", priority="P1"),
        want("other", priority="P1"),
        want("old", priority="P0"),
        fires_only=True,
        claims={"fp-old": Claim(TaskState.COMPLETED)},
    )
    assert [task.id for task in plan.tasks] == ["far", "near", "fire"]
    assert {task.urgency for task in plan.tasks} == {Priority.P0}
    assert [str(task.priority) for task in plan.tasks] == ["P2", "P3", "P0"]
    assert [take[2] for take in plan.takes] == ["fire", "far", "near"]
    assert reasons(plan) == {"old": "done since in run r0", "after": NOT_A_FIRE, "other": NOT_A_FIRE}


def test_a_red_baseline_blocks_nobody_and_ranks_first_in_its_repository() -> None:
    red = make_finding("a" * 16, kind=FindingKind.RED_BASELINE, title="fix: gate")
    plan = plan_of(want("one"), want("two", "one"), want("three", "two"), red, want("x", project="api", repo="api"))
    task = task_of(plan, "app-red-baseline-aaaaaa")
    assert task.priority is Priority.P1
    assert all(task.rank > other.rank for other in plan.tasks if other is not task)
    assert not any(task.id in other.blocked_by for other in plan.tasks)


def test_estimates_are_learned_per_repository_then_over_all_then_ten_minutes() -> None:
    findings = [want("a"), want("b", project="api", repo="api")]
    for lengths, seconds in (({"app": 60.0, "": 120.0}, (60, 120)), ({"app": 60.0}, (60, 600)), ({}, (600, 600))):
        plan = plan_of(*findings, lengths=lengths)
        assert (task_of(plan, "a").estimate, task_of(plan, "b").estimate) == seconds


def test_rank_is_the_path_left_and_the_registrys_priority_breaks_ties() -> None:
    projects = (make_project("app", priority=50), make_project("api", priority=1))
    plan = plan_of(want("a"), want("b", "a"), want("c", project="api", repo="api"), projects=projects)
    ranks = {task.id: task.rank for task in plan.tasks}
    assert ranks["a"] > ranks["c"] > ranks["b"]
    assert 0 < ranks["c"] - ranks["b"] < 60


def test_tasks_come_urgent_first_then_as_the_file_has_them() -> None:
    order = ["zeta", "alpha", "mid"]
    tasks = tuple(RequestedTask(id=one, project="app", title=one) for one in order)
    plan = plan_of(*(want(one) for one in sorted(order)), want("late", priority="P1"), tasks=tasks)
    assert [task.id for task in plan.tasks] == ["late", *order]


LEFT = Claim(TaskState.QUEUED)


@pytest.mark.parametrize(
    ("claims", "planned", "left_out"),
    [
        ({"fp-a": Claim(TaskState.BLOCKED, task="a"), "fp-b": LEFT}, [], {"a": "owned by", "b": "left to run r0"}),
        ({"fp-a": Claim(TaskState.BLOCKED, task="a")}, ["b"], {"a": "owned by run r0 (blocked)"}),
        ({"fp-a": Claim(TaskState.QUEUED, task="a"), "fp-b": LEFT}, ["a", "b"], {}),
        ({"fp-a": Claim(TaskState.COMPLETED, task="a"), "fp-b": LEFT}, ["b"], {"a": "done since"}),
        (
            {"fp-a": Claim(TaskState.DISCARDED, task="a"), "fp-b": LEFT},
            [],
            {"a": "discarded in", "b": "left to run r0"},
        ),
        (
            {"fp-a": Claim(TaskState.RUNNING, RunState.RUNNING, run="r9"), "fp-b": LEFT},
            [],
            {"a": "owned by run r9", "b": "left to run r0: it waits for a (owned by run r9 (running): task t0)"},
        ),
        (
            {"fp-a": Claim(TaskState.BLOCKED, task="a", ask="verify", head="h1"), "fp-b": LEFT},
            ["a", "b"],
            {},
        ),
    ],
)
def test_what_a_run_has_left_is_taken_over_with_its_blockers_or_stays_with_them(
    claims: dict[str, Claim], planned: list[str], left_out: dict[str, str]
) -> None:
    """`b` waits for `a`. What nobody has planned yet is planned, and says what it waits for."""
    app = make_project("app", repositories=(make_repository("app", gate="make test"),))
    plan = plan_of(want("a"), want("b", "a"), claims=claims, projects=(app,))
    assert [task.id for task in plan.tasks] == planned
    assert [name for name, why in reasons(plan).items() if why.startswith(left_out[name])] == list(left_out)
    assert set(plan.over) == {
        (claims[f"fp-{one}"].run, claims[f"fp-{one}"].task) for one in planned if f"fp-{one}" in claims
    }


def test_what_an_earlier_try_took_over_is_planned_as_it_was_then() -> None:
    """The planner died between its claims and its plan: now all claims are its own, and the tasks cancelled there."""
    app = make_project("app", repositories=(make_repository("app", gate="make test"),))
    held = {"fp-a": Claim(TaskState.BLOCKED, task="a", ask="verify", head="h1"), "fp-b": LEFT}
    first = plan_of(want("a"), want("b", "a"), claims=held, projects=(app,))
    assert first.left == {"a": Left("r0", "a", "h1"), "b": Left("r0", "t0")}
    mine = {f"fp-{task}": left for task, left in first.left.items()}
    again = plan_of(want("a"), want("b", "a"), mine=mine, projects=(app,))
    assert again == first._replace(over=())
    assert (task_of(again, "a").begun_at, task_of(again, "a").begun_by) == ("h1", "r0/a")


@pytest.mark.parametrize(
    ("blocker", "unknown", "stays"),
    [
        ({"project": "app"}, (), False),
        ({"project": "elsewhere"}, (), True),
        ({"project": "app"}, ("linear",), True),
        ({"project": "app"}, ("app/lib",), True),
        ({"project": "app"}, ("source:linear",), True),
        ({"project": "app"}, ("projects:0-4",), True),
        ({"project": "app"}, ("sentry",), False),
        ({"project": "app", "fingerprint": "fp-c"}, ("linear",), False),
    ],
)
def test_what_waits_for_something_that_nobody_has_looked_for_stays_with_its_run(
    blocker: dict[str, str], unknown: tuple[str, ...], stays: bool
) -> None:
    """In another project, or at a source without an answer. What was looked for and is not there is gone."""
    waits = Blocker(**({"task": "a", "fingerprint": "fp-a", "sources": ("linear",)} | blocker))
    plan = plan_of(
        want("b"),
        want("c"),
        claims={"fp-b": LEFT._replace(behind=(waits,))},
        unknown=[Skipped(name=one, reason="") for one in unknown],
    )
    assert [task.id for task in plan.tasks] == (["c"] if stays else ["b", "c"])
    why = f"left to run r0: it waits there for a of {waits.project}, which this run has not looked for"
    assert reasons(plan) == ({"b": why} if stays else {})
    assert bool(plan.over) is not stays


def test_who_waits_for_one_that_waits_is_told_the_first_of_them() -> None:
    blocked = Claim(TaskState.BLOCKED, task="a")
    plan = plan_of(want("a"), want("b", "a"), want("c", "b"), claims={"fp-a": blocked, "fp-b": LEFT, "fp-c": LEFT})
    assert plan.tasks == ()
    assert (
        reasons(plan)["c"] == reasons(plan)["b"] == "left to run r0: it waits for a (owned by run r0 (blocked): task a)"
    )


FINDINGS = [
    *(want(f"t{i}", *(f"t{j}" for j in range(i) if i % (j + 2) == 0), priority=f"P{i % 4}") for i in range(8)),
    want("t1", source="other", detail="more", priority="P0"),
    make_finding("a" * 16, kind=FindingKind.PHASE, project="web", repo="web"),
    make_finding("b" * 16, kind=FindingKind.PHASE, project="web", repo="web", blocked_by=("a" * 16,)),
    make_finding("c" * 16, kind=FindingKind.UNPUSHED, actionable=False),
]
WAITS = {one.task_id: one.blocked_by for one in FINDINGS[:8]}
CLAIMS = st.dictionaries(
    st.sampled_from([f"fp-t{i}" for i in range(8)]),
    st.builds(
        Claim,
        st.sampled_from(TaskState),
        st.sampled_from(RunState),
        st.sampled_from(["", "old"]),
        ask=st.sampled_from(["", "verify"]),
        head=st.just("h1"),
    ),
)


def left_behind(claim: Claim) -> bool:
    """A run that has ended had it, and has not come to an end with it; what waits there for a gate has one now."""
    waits = claim.state is TaskState.BLOCKED and claim.ask == "verify"
    return claim.run_state not in RUN_OPEN and (claim.state in STARTABLE or waits)


def is_done(claim: Claim | None) -> bool:
    return claim is not None and claim.state is TaskState.COMPLETED and claim.cause == ""


@given(st.permutations(FINDINGS), st.integers(1, 4), CLAIMS, st.booleans())
def test_the_laws_of_a_plan(findings: list[Finding], count: int, claims: dict[str, Claim], fires: bool) -> None:
    app = make_project("app", repositories=(make_repository("app", gate="make test"),))
    request = make_request(portfolio=make_portfolio(app, make_project("web")), fires_only=fires)
    held = {("app", fingerprint): claim for fingerprint, claim in claims.items()}
    parts = [make_part(f"p{at}", *findings[at::count]) for at in range(count)]
    plan = structure(request, parts, held, {}, NOW)
    # The order in which answers came in leaves no trace.
    assert plan == structure(request, [make_part("all", *FINDINGS)], held, {}, NOW)
    # Whatever is actionable is planned or left out with a reason, once.
    assert len(plan.tasks) + len(plan.skipped) == 10
    ids = [task.id for task in plan.tasks]
    assert len(set(ids)) == len(ids)
    assert sorted(take[2] for take in plan.takes) == sorted(ids)
    # It is a graph, in order, and blocked tasks are of the plan.
    assert set(plan.blocked) <= set(ids)
    graph = Graph({task.id: task.blocked_by for task in plan.tasks})
    assert list(graph.order) == ids
    assert graph.waves() == {task.id: task.wave for task in plan.tasks}
    # Nothing is taken from a run that works on it.
    assert set(plan.over) <= {(claim.run, claim.task) for claim in claims.values()}
    for task in plan.tasks:
        claim = claims.get(task.fingerprint)
        assert claim is None or left_behind(claim) or (claim.state in FINAL and claim.cause == "old")
        # Nothing is taken from a run without what it waits for there.
        if claim and left_behind(claim):
            assert task.id not in plan.blocked
            assert all(blocker in ids or is_done(claims.get(f"fp-{blocker}")) for blocker in WAITS[task.id])
            assert (task.begun_at == "h1") == (claim.state is TaskState.BLOCKED and claim.cause == "")


def test_nothing_is_planned_for_a_repository_that_may_not_be_pushed_to_whoever_found_it() -> None:
    closed = make_part("github", read_only={"app": "acme/app does not let us push"})
    plan = structure(make_request(), [closed, make_part("sentry", want("a"))], {}, {}, NOW)
    assert plan.tasks == ()
    assert [skipped.reason for skipped in plan.skipped] == ["acme/app does not let us push"]
