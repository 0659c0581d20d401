"""What every agent that is a process keeps to, whichever kind it is: docs/agent-contract.md as tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.core.agent import AgentEnd, AgentEventKind
from ops_orchestrate.errors import SandboxUnavailable
from tests.adapters.agents.work import BRIEF, agent, finish, job, mark
from tests.adapters.foreign import (
    both_ways,
    eventually,
    git,
    gone,
    living,
    needs_sandbox,
    without_sandbox,
)

pytestmark = [pytest.mark.parametrize("kind", ["command", "scripted"]), needs_sandbox]


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path) -> Iterator[None]:
    """After each test: no process of any attempt of it."""
    yield
    for attempt in (1, 2):
        assert eventually(partial(gone, mark(job(tmp_path, attempt=attempt))))


@both_ways
def test_it_works_in_its_tree_and_commits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, sandboxed: bool
) -> None:
    steps = [
        {"write": {"path": "src/b.txt", "text": "two\n"}},
        {"commit": {"message": "Add b"}},
        {"report": {"summary": "done it", "cost_usd": 0.25, "tokens": 1200}},
    ]
    work = job(tmp_path)
    if not sandboxed:
        without_sandbox(monkeypatch, tmp_path)
    result = finish(agent(kind, tmp_path, steps, unsandboxed_ok=not sandboxed).start(work))
    assert (result.end, result.exit_code, result.unsandboxed) == (AgentEnd.DONE, 0, not sandboxed), result
    assert result.report is not None
    assert (result.report.summary, result.report.cost_usd, result.report.tokens) == ("done it", 0.25, 1200)
    monkeypatch.undo()
    assert git(Path(work.tree), "log", "-1", "--format=%s %an") == "Add b ops-orchestrate"
    assert git(Path(work.tree), "status", "--porcelain") == ""


def test_it_gets_the_brief_on_standard_input(tmp_path: Path, kind: str) -> None:
    result = finish(
        agent(kind, tmp_path, [{"copy_brief": {"field": "hand_over"}}, {"report": {}}]).start(job(tmp_path))
    )
    assert result.report is not None
    assert result.report.hand_over == BRIEF


def test_its_environment(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "s3cret-value")
    monkeypatch.setenv("OPS_REDIS_URL", "redis://:s3cret-value@127.0.0.1/0")
    work = job(tmp_path)
    session = agent(kind, tmp_path, [{"run": {"argv": ["/usr/bin/env", "-0"]}}], model="opus").start(work)
    result = finish(session)
    env = dict(entry.split("=", 1) for entry in (Path(work.scratch) / "watch" / "log").read_text().split("\0") if entry)
    assert result.end is AgentEnd.DONE
    assert env["OPS_TASK"] == "web-fix-parser"
    assert env["OPS_ATTEMPT"] == mark(work)
    assert env["OPS_BRANCH"] == work.branch
    assert env["OPS_MODEL"] == "opus"
    assert env["OPS_BRIEF"].endswith("/scratch/brief.md")
    assert env["OPS_REPORT"].endswith("/scratch/agent/report.json")
    assert env["HOME"].startswith(work.scratch)
    assert env["TMPDIR"].startswith(work.scratch)
    assert env["PWD"] == work.tree
    assert "s3cret-value" not in str(env)


@pytest.mark.parametrize(
    ("steps", "end", "says"),
    [
        ([{"report": {"status": "failed", "summary": "cannot"}}], AgentEnd.FAILED, "reports failure"),
        ([{"report": {"status": "blocked", "question": "which one?"}}], AgentEnd.DONE, ""),
        ([{"report": {}}, {"exit": {"code": 3}}], AgentEnd.FAILED, "exited with 3"),
        ([{"crash": {"signal": 11}}], AgentEnd.CRASHED, "signal 11"),
        ([{"crash": {"signal": 9}}], AgentEnd.CRASHED, "signal 9"),
        (["sleep"], AgentEnd.FAILED, "exited with 1"),
        ([], AgentEnd.DONE, ""),
        ([{"raw_report": {"text": '{"status": "done", "summ'}}], AgentEnd.CRASHED, "not valid"),
        ([{"raw_report": {"text": ""}}], AgentEnd.CRASHED, "not valid"),
        ([{"raw_report": {"text": '["done"]'}}], AgentEnd.CRASHED, "not valid"),
        ([{"raw_report": {"text": '{"status": "merged"}'}}], AgentEnd.CRASHED, "status"),
        ([{"raw_report": {"text": '{"status": "done", "merged": true}'}}], AgentEnd.CRASHED, "merged"),
        ([{"raw_report": {"text": '{"status": "done", "cost_usd": -1}'}}], AgentEnd.CRASHED, "cost_usd"),
        ([{"raw_report": {"text": '{"status": "done", "cost_usd": 1e300}'}}], AgentEnd.CRASHED, "cost_usd"),
        ([{"raw_report": {"text": '{"status": "done", "tokens": true}'}}], AgentEnd.CRASHED, "tokens"),
        ([{"raw_report": {"text": '{"status": "done", "tokens": 1000000000001}'}}], AgentEnd.CRASHED, "tokens"),
        ([{"report": {"task": "other"}}], AgentEnd.CRASHED, "another task"),
        ([{"report": {"summary": "x" * 70_000}}], AgentEnd.CRASHED, "bytes, more than"),
    ],
)
def test_how_it_ended(tmp_path: Path, kind: str, steps: list[Any], end: AgentEnd, says: str) -> None:
    result = finish(agent(kind, tmp_path, steps).start(job(tmp_path)))
    assert result.end is end, result
    assert says in result.detail
    if end is AgentEnd.CRASHED:
        assert result.report is None


def test_only_the_report_file_counts(tmp_path: Path, kind: str) -> None:
    """What it prints is never a report; a report written again replaces the one before."""
    fake = {"task": "web-fix-parser", "status": "done", "summary": "MERGED ✓"}
    steps = [
        {"say": {"text": json.dumps(fake)}},
        {"raw_report": {"text": json.dumps(fake)}},
        {"report": {"status": "failed", "summary": "the real one"}},
        {"say": {"text": json.dumps(fake)}},
    ]
    result = finish(agent(kind, tmp_path, steps).start(job(tmp_path)))
    assert result.end is AgentEnd.FAILED
    assert result.report is not None
    assert result.report.summary == "the real one"


def test_two_reports_in_one_file_are_none(tmp_path: Path, kind: str) -> None:
    text = '{"status": "done", "summary": "fake"}\n{"status": "failed"}'
    result = finish(agent(kind, tmp_path, [{"raw_report": {"text": text}}]).start(job(tmp_path)))
    assert (result.end, result.report) == (AgentEnd.CRASHED, None)


@pytest.mark.parametrize(
    "argv",
    [
        ["/bin/sh", "-c", "ln -s /etc/passwd $OPS_REPORT"],
        ["/bin/sh", "-c", "mkfifo $OPS_REPORT"],
        ["/bin/sh", "-c", "mkdir $OPS_REPORT"],
        ["/bin/sh", "-c", "truncate -s 1T $OPS_REPORT || truncate -s 1G $OPS_REPORT"],
    ],
    ids=["link", "pipe", "folder", "huge"],
)
def test_a_report_that_is_no_file_is_refused_at_once(tmp_path: Path, kind: str, argv: list[str]) -> None:
    result = finish(agent(kind, tmp_path, [{"run": {"argv": argv}}]).start(job(tmp_path)))
    assert (result.end, result.report) == (AgentEnd.CRASHED, None)


def test_an_earlier_report_does_not_count(tmp_path: Path, kind: str) -> None:
    assert finish(agent(kind, tmp_path, [{"report": {}}]).start(job(tmp_path))).report is not None
    assert finish(agent(kind, tmp_path, []).start(job(tmp_path, attempt=2))).report is None


def test_its_output_is_a_sign_of_life_and_is_cleaned(tmp_path: Path, kind: str) -> None:
    steps = [
        {"say": {"text": "\x1b]0;title\x07\x1b[32mgreen\x1b[0m MERGED \u202e", "hex": "fffe"}},
        {"sleep": {"seconds": 0.5}},
    ]
    session = agent(kind, tmp_path, steps).start(job(tmp_path))
    events = session.events(10)
    assert [(event.kind, event.text) for event in events] == [(AgentEventKind.OUTPUT, "green MERGED \ufffd\ufffd\n")]
    result = finish(session)
    assert result.log_tail == "green MERGED \ufffd\ufffd\n"


def test_silence_is_no_event(tmp_path: Path, kind: str) -> None:
    session = agent(kind, tmp_path, [{"sleep": {"seconds": 0.6}}]).start(job(tmp_path))
    assert session.events(0.2) == ()
    assert finish(session).end is AgentEnd.DONE
    assert session.events(5) == (), "and the end of it is not waited for"


def test_a_flood_is_capped(tmp_path: Path, kind: str) -> None:
    session = agent(kind, tmp_path, [{"flood": {"bytes": 50_000_000}}, {"say": {"text": "the end"}}]).start(
        job(tmp_path)
    )
    texts = [event.text for event in session.events(10)]
    result = finish(session)
    assert result.end is AgentEnd.DONE
    assert all(len(text) <= 2_000 for text in texts)
    assert result.log_tail.endswith("the end\n")
    assert len(result.log_tail) <= 8_000
    assert (tmp_path / "scratch" / "watch" / "log").stat().st_size < 140_000


@both_ways
@pytest.mark.parametrize(("how", "end"), [("interrupt", AgentEnd.STOPPED), ("kill", AgentEnd.STOPPED)])
def test_one_that_never_ends_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, how: Any, end: AgentEnd, sandboxed: bool
) -> None:
    work = job(tmp_path)
    if not sandboxed:
        without_sandbox(monkeypatch, tmp_path)
    steps = ["ignore_signals", {"daemonize": {"seconds": 300}}, {"say": {"text": "up"}}, "hang"]
    session = agent(kind, tmp_path, steps, unsandboxed_ok=True).start(work)
    assert session.events(10)
    assert session.result() is None
    session.stop(how)
    assert finish(session).end is end
    assert living(mark(work)) == []


def test_its_time_is_limited(tmp_path: Path, kind: str) -> None:
    session = agent(kind, tmp_path, [{"work": {"seconds": 300}}]).start(job(tmp_path, seconds=0.5))
    assert finish(session).end is AgentEnd.TIMED_OUT


def test_nobody_beats(tmp_path: Path, kind: str) -> None:
    session = agent(kind, tmp_path, ["hang"]).start(job(tmp_path, beat_seconds=0.5))
    result = eventually(session.result)
    assert result.end is AgentEnd.STOPPED
    assert "lease" in result.detail


def test_after_an_interrupt_it_may_save_its_work(tmp_path: Path, kind: str) -> None:
    work = job(tmp_path, grace_seconds=10.0)
    session = agent(kind, tmp_path, ["finish_on_interrupt", {"say": {"text": "up"}}, "hang"]).start(work)
    assert session.events(10)
    session.stop("interrupt")
    result = finish(session)
    assert result.end is AgentEnd.STOPPED
    assert result.report is not None
    assert result.report.summary == "interrupted"
    assert git(Path(work.tree), "log", "-1", "--format=%s") == "Keep what there is"


def test_it_cannot_touch_what_is_not_its_own(tmp_path: Path, kind: str) -> None:
    """Not its exit record, not its brief, not its log, not what it may only read."""
    (tmp_path / "borrowed").mkdir()
    work = job(tmp_path, reads=(str(tmp_path / "borrowed"),))
    targets = "../scratch/watch/exit.json ../scratch/watch/log ../x $OPS_BRIEF ../borrowed/y"
    script = f"for f in {targets}; do echo x > $f; done; ls .."
    result = finish(agent(kind, tmp_path, [{"run": {"argv": ["/bin/sh", "-c", script]}}]).start(work))
    assert result.end is AgentEnd.DONE
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "borrowed" / "y").exists()
    assert (tmp_path / "scratch" / "brief.md").read_text() == BRIEF
    assert "borrowed\n" in result.log_tail
    assert "data" not in result.log_tail.splitlines()


def test_its_vitals(tmp_path: Path, kind: str) -> None:
    """Work burns processor time; an empty commit moves the digest, a touched file does not."""
    steps = [
        {"copy_mail": {"field": "summary"}} if kind == "scripted" else {"sleep": {"seconds": 0.5}},
        {"run": {"argv": ["touch", "a.txt"]}},
        {"work": {"seconds": 0.6}},
        {"say": {"text": "touched"}},
        {"sleep": {"seconds": 0.6}},
        {"run": {"argv": ["git", "commit", "--quiet", "--allow-empty", "-m", "empty"]}},
        {"say": {"text": "committed"}},
        "hang",
    ]
    session = agent(kind, tmp_path, steps).start(job(tmp_path))
    before = session.vitals()
    session.message("go")
    assert "touched" in session.events(10)[0].text
    worked = session.vitals()
    assert worked.files == before.files
    assert worked.cpu_seconds > before.cpu_seconds + 0.1
    assert worked.processes == 1
    assert "committed" in session.events(10)[0].text
    assert session.vitals().files != worked.files
    session.stop("kill")
    finish(session)
    assert session.vitals().processes == 0


def test_no_sandbox_no_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    work = job(tmp_path)
    subject = agent(kind, tmp_path, [{"write": {"path": "ran"}}])
    without_sandbox(monkeypatch, tmp_path)
    assert not subject.probe().ok
    with pytest.raises(SandboxUnavailable, match="OPS_UNSANDBOXED_OK"):
        subject.start(work)
    assert not (tmp_path / "tree" / "ran").exists()


def test_its_probe(tmp_path: Path, kind: str) -> None:
    found = agent(kind, tmp_path, []).probe()
    assert (found.name, found.ok) == (kind, True)
    assert "bubblewrap" in found.detail
