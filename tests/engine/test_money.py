"""Money in whole runs: real workers, five agents at once, a cap that they reach together, and how a run goes on."""

from __future__ import annotations

from pathlib import Path

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.spend import Amount
from ops_orchestrate.core.states import RunState, TaskState
from ops_orchestrate.engine.budget import day_now
from ops_orchestrate.report.check import violations
from ops_orchestrate.report.final import final_report
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.json import report_json
from tests.engine.rig import Rig, Steps, requested

NAMES = [f"t{n}" for n in range(10)]
REPOS = [f"app{n}" for n in range(5)]
DOLLAR = 1_000_000


def paid(task: str) -> Steps:
    """An attempt that works for a while and says what it cost."""
    return [
        {"sleep": {"seconds": 1.0}},
        {"write": {"path": f"src/{task}.txt", "text": f"{task}\n"}},
        {"commit": {"message": f"Do {task}"}},
        {"report": {"status": "done", "summary": f"did {task}", "cost_usd": 1.0, "tokens": 1000}},
    ]


def test_a_run_stops_at_its_cap_with_five_agents_at_once_and_goes_on_when_it_is_raised(
    tmp_path: Path, server_url: str
) -> None:
    caps = {"OPS_MAX_ATTEMPT_USD": "1", "OPS_MAX_RUN_USD": "5.2", "OPS_MAX_DAY_USD": "1000"}
    rig = Rig.build(tmp_path, server_url, REPOS, **caps)
    rig.play({name: [paid(name)] for name in NAMES})
    try:
        rig.start()
        run = rig.submit([requested(name, REPOS[n % 5], paths=(f"src/{name}.txt",)) for n, name in enumerate(NAMES)])

        # The ledger is new, and today has a cap: what was spent before is not known, so nothing starts.
        rig.finish(run)
        told = rig.ledger.runs.get(run)
        assert (told.state, rig.ledger.runs.counts(run)) == (RunState.HALTED, {TaskState.QUEUED: 10})
        assert "budget --spent-today" in told.reason

        rig.ledger.money.declare(day_now(rig.tools), Amount(micros=0, tokens=0))
        assert rig.ledger.runs.resume(run)
        rig.finish(run)
        told = rig.ledger.runs.get(run)
        assert (told.state, rig.ledger.runs.counts(run)) == (
            RunState.HALTED,
            {TaskState.QUEUED: 5, TaskState.COMPLETED: 5},
        )
        assert "the run's budget is used ($5.00 of $5.20): raise OPS_MAX_RUN_USD" in told.reason
        assert "Waiting:" in final_report(fold(rig.events(run)), 200)
        purse = rig.ledger.money.purses([f"run:{run}"])[f"run:{run}"]
        assert (purse.micros, purse.tokens, purse.reserved_micros) == (5 * DOLLAR, 5000, 0)

        rig.kill("planner")
        rig.env["OPS_MAX_RUN_USD"] = "20"
        rig.start("planner")
        assert rig.ledger.runs.resume(run)
        events = rig.finish(run)
    finally:
        rig.close()
    assert rig.ledger.runs.get(run).state is RunState.DONE, rig.story()
    assert violations(events) == []
    document = report_json(fold(events))
    assert (document["totals"]["cost_usd"], document["totals"]["tokens"]) == (10.0, 10_000)
    assert {cost["cost_usd"] for cost in document["costs"]} == {2.0}
    assert document["waiting"] is None
    # Five were at work at the same time, and no sixth began before the cap was raised.
    starts = [event.at for event in events if event.kind is EventKind.ATTEMPT_STARTED]
    first_end = min(event.at for event in events if event.kind is EventKind.ATTEMPT_ENDED)
    assert len([at for at in starts if at < first_end]) > 1
    second_halt = [event.at for event in events if event.kind is EventKind.RUN_FINISHED][1]
    assert len([at for at in starts if at < second_halt]) == 5
