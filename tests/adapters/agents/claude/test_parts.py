"""The parts of the adapter that need no Claude Code: lines, transcript, command line, probe."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.adapters.agents import ClaudeAgent
from ops_orchestrate.adapters.agents.claude.agent import TESTED
from ops_orchestrate.adapters.agents.claude.commandline import TOOLS, arguments, session_id, settings_text, variables
from ops_orchestrate.adapters.agents.claude.tally import Tally
from ops_orchestrate.adapters.agents.claude.wire import Limit, Result, read_line, said
from ops_orchestrate.adapters.agents.lines import Lines
from ops_orchestrate.adapters.agents.transcript import Transcript, prune
from ops_orchestrate.config import load_settings
from ops_orchestrate.core.agent import AgentEnd
from ops_orchestrate.core.claude_outcome import claude_end
from ops_orchestrate.core.redaction import redact
from ops_orchestrate.errors import AgentUnavailable, UsageError
from tests.adapters.agents.claude.real import CLAUDE, KEY, follow, needs_claude, stand_in, work
from tests.adapters.foreign import needs_sandbox, settings

_RESULT = {"type": "result", "subtype": "success", "is_error": False, "terminal_reason": "completed", "result": "ok"}
HERE = {"ANTHROPIC_API_KEY": KEY}.get


# Lines --------------------------------------------------------------------------------------------------------------


def test_lines_come_once_and_whole(tmp_path: Path) -> None:
    log = tmp_path / "log"
    lines = Lines(log, limit=10)
    assert lines.more() == []
    with log.open("ab", buffering=0) as file:
        file.write(b"one\ntw")
        assert lines.more() == [b"one"]
        file.write(b"o\n\nthree")
        assert lines.more() == [b"two"]
        assert lines.more() == []
        assert lines.more(last=True) == [b"three"]
        assert lines.more(last=True) == []


def test_a_line_over_the_limit_is_left_out_and_the_next_is_not(tmp_path: Path) -> None:
    log = tmp_path / "log"
    lines = Lines(log, limit=10)
    with log.open("ab", buffering=0) as file:
        file.write(b"x" * 11 + b"\nnext\n" + b"y" * 50)
        assert lines.more() == [b"next"]
        file.write(b"y" * 50)
        assert lines.more() == []
        file.write(b"y\nlast\n")
        assert lines.more() == [b"last"]


# Its words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["plain", "two\nlines", 'a "quote"', "«ünï» \u2028", "x" * 100_000])
def test_what_we_say_is_one_line(text: str) -> None:
    line = said(text)
    assert "\n" not in line
    assert json.loads(line)["message"] == {"role": "user", "content": text}


@pytest.mark.parametrize(("status", "resets_at"), [("rejected", 1_900_000_000.0), ("allowed_warning", 0.0)])
def test_only_a_limit_that_refuses_says_when_it_ends(status: str, resets_at: float) -> None:
    line = {"type": "rate_limit_event", "rate_limit_info": {"status": status, "resetsAt": 1_900_000_000}}
    ours, frame = read_line(json.dumps(line).encode())
    assert ours
    assert isinstance(frame, Limit)
    tally = Tally()
    tally.take(frame)
    assert tally.resets_at == resets_at


@pytest.mark.parametrize(
    "usage",
    [{"m": {"costUSD": -1}}, {"m": {"costUSD": float("nan")}}, {"m": {"inputTokens": 10**30}}, {"m": 1}, [], "x"],
)
def test_a_number_that_cannot_be_costs_the_cost_and_not_the_end(usage: object) -> None:
    line = _RESULT | {"model_usage_since_last_result": usage}
    _, frame = read_line(json.dumps(line).encode())
    assert isinstance(frame, Result)
    tally = Tally()
    tally.take(frame)
    assert (tally.cost_usd, tally.tokens) == (None, 0)
    assert claude_end(tally.run(0))[0] is AgentEnd.DONE


@pytest.mark.parametrize(
    "line",
    [b"", b"null", b"[]", b"{}", b'{"type":1}', b"{" * 100_000, b'{"type":"result"', b"9" * 5_000, b"\xff\xfe"],
)
def test_what_is_no_line_of_the_protocol(line: bytes) -> None:
    assert read_line(line) == (False, None)


# Transcript ---------------------------------------------------------------------------------------------------------


def test_a_transcript_holds_no_secret_and_stays_json(tmp_path: Path) -> None:
    secret = 'pass"word-\n1234567'
    kept = Transcript(tmp_path / "t" / "x.jsonl", 10_000, lambda text: redact(text, (secret,)))
    kept.heard(json.dumps({"type": "user", "text": f"it is {secret}, and {KEY}"}).encode())
    kept.noise(f"printed {secret}")
    kept.told(f"told {KEY}")
    kept.close()
    kept.told("after the end")
    lines = [json.loads(line) for line in (tmp_path / "t" / "x.jsonl").read_text().splitlines()]
    assert [line["type"] for line in lines] == ["user", "ops/printed", "ops/told"]
    assert secret not in str(lines)
    assert KEY not in str(lines)
    assert "[redacted]" in lines[0]["text"]


def test_a_private_key_that_is_printed_line_by_line_is_not_kept(tmp_path: Path) -> None:
    kept = Transcript(tmp_path / "x.jsonl", 10_000, redact)
    key = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1\nAwEHoUQDQgAE6kU\n-----END EC PRIVATE KEY-----"
    for line in ("before", *key.splitlines(), "after", "-----BEGIN CERTIFICATE-----"):
        kept.noise(line)
    kept.close()
    told = [json.loads(line)["text"] for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert told == ["before", *["[redacted private key]"] * 4, "after", "-----BEGIN CERTIFICATE-----"]


def test_a_full_transcript_says_so_once(tmp_path: Path) -> None:
    kept = Transcript(tmp_path / "x.jsonl", 100, str)
    for _ in range(10):
        kept.noise("x" * 40)
    kept.close()
    lines = (tmp_path / "x.jsonl").read_text().splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["ops/printed", "ops/cut"]


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "attempts"
    for number in range(6):
        path = folder / f"r{number // 2}" / f"t{number}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (number, number))
    prune(folder, keep=3)
    assert sorted(path.name for path in folder.glob("*/*")) == ["t3.jsonl", "t4.jsonl", "t5.jsonl"]
    assert not (folder / "r0").exists()
    prune(tmp_path / "none", keep=3)


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        Transcript(tmp_path / "x.jsonl", 100, str)


# Command line -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sandboxed", [True, False])
def test_what_stands_on_its_command_line(tmp_path: Path, sandboxed: bool) -> None:
    used = settings(tmp_path, model="opus", max_turns=7, max_attempt_usd=2.5)
    words = arguments(work(tmp_path), used, tmp_path / "rules.json", sandboxed=sandboxed)
    options = dict(pairwise(words))
    assert KEY not in str(words)
    assert options["--model"] == "opus"
    assert options["--max-turns"] == "7"
    assert float(options["--max-budget-usd"]) == 2.5
    assert options["--setting-sources"] == "", "nothing of the repository's and the user's"
    assert options["--permission-mode"] == ("bypassPermissions" if sandboxed else "acceptEdits")
    assert options["--permission-prompts"] == "none", "nobody is there to be asked"
    assert options["--settings"] == str(tmp_path / "rules.json")


def test_its_only_settings(tmp_path: Path) -> None:
    rules = json.loads(settings_text(sandboxed=True))["permissions"]
    assert rules["allow"] == []
    assert {"Read(**/.env)", "Edit(**/.env.*)", "Edit(**/*.pem)", "Bash(git push:*)", "WebFetch"} <= set(rules["deny"])
    assert not {"WebFetch", "WebSearch", "AskUserQuestion"} & set(TOOLS.split())
    outside = json.loads(settings_text(sandboxed=False))["permissions"]["allow"]
    assert all(rule.startswith("Bash(git ") for rule in outside)


def test_an_attempt_has_one_session_and_no_other(tmp_path: Path) -> None:
    job = work(tmp_path)
    assert session_id(job) == session_id(job)
    changes = [{}, {"fence": job.key.fence + 1}, {"attempt": 9}, {"task": "web-other"}, {"run": "r2"}]
    others = [job.model_copy(update={"key": job.key.model_copy(update=change)}) for change in changes]
    reviewers = [one.model_copy(update={"purpose": "review"}) for one in others]
    assert len({session_id(one) for one in (*others, *reviewers)}) == 10, "who reviews is never who wrote it"


def test_who_is_asked_something_can_only_read(tmp_path: Path) -> None:
    job = work(tmp_path).model_copy(update={"purpose": "review", "schema_text": "{}", "model": "haiku"})
    options = dict(pairwise(arguments(job, settings(tmp_path), tmp_path / "rules.json", sandboxed=True)))
    assert options["--tools"] == "Glob,Grep,Read"
    assert (options["--json-schema"], options["--model"]) == ("{}", "haiku")


def test_only_inside_the_sandbox_is_it_told_that_it_is_in_one(tmp_path: Path) -> None:
    inside = variables(tmp_path, settings(tmp_path), sandboxed=True)
    outside = variables(tmp_path, settings(tmp_path), sandboxed=False)
    assert inside == outside | {"IS_SANDBOX": "1"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", "--dangerously-skip-permissions"),
        ("model", ""),
        ("max_attempt_usd", 0),
        ("max_turns", 0),
    ],
)
def test_settings_that_are_refused(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"OPS_{name.upper()}"):
        load_settings(**{name: value})


# Probe --------------------------------------------------------------------------------------------------------------


@needs_sandbox
@pytest.mark.parametrize(
    ("body", "more", "secret", "ok", "says"),
    [
        (f"echo '{TESTED} (Claude Code)'", {}, HERE, True, f"Claude Code {TESTED} at "),
        ("echo '2.9.9 (Claude Code)'", {}, HERE, True, f"2.9.9 (tested with {TESTED})"),
        (f"echo '{TESTED}'", {}, {}.get, False, "nobody knows ANTHROPIC_API_KEY"),
        (f"echo '{TESTED}'", {"model_key": "MY_KEY"}, HERE, False, "nobody knows MY_KEY"),
        (f"echo '{TESTED}'", {"model_url": "http://models.example.com"}, HERE, False, "OPS_MODEL_URL: "),
        ("exit 1", {}, HERE, False, "does not say its version"),
        ("echo hello", {}, HERE, False, "does not say its version"),
    ],
    ids=["well", "other version", "no key", "other key", "in the clear", "broken", "something else"],
)
def test_what_the_probe_says(
    tmp_path: Path, body: str, more: dict[str, Any], secret: Callable[[str], str | None], ok: bool, says: str
) -> None:
    used = settings(tmp_path, **({"claude": stand_in(tmp_path, body)} | more))
    found = ClaudeAgent(used, secret).probe()
    assert (found.ok, found.name) == (ok, "claude")
    assert says in found.detail


def test_one_that_is_not_there(tmp_path: Path) -> None:
    agent = ClaudeAgent(settings(tmp_path, claude="no-such-claude"), HERE)
    assert "no-such-claude is not on the PATH" in agent.probe().detail
    with pytest.raises(AgentUnavailable, match="OPS_CLAUDE"):
        agent.start(work(tmp_path))


def test_without_a_key_nothing_starts(tmp_path: Path) -> None:
    agent = ClaudeAgent(settings(tmp_path, claude=stand_in(tmp_path, "exit 0")), {}.get)
    with pytest.raises(AgentUnavailable, match="OPS_MODEL_KEY"):
        agent.start(work(tmp_path))


@needs_claude
@needs_sandbox
def test_the_real_one_is_found_well(tmp_path: Path) -> None:
    found = ClaudeAgent(settings(tmp_path, claude=str(CLAUDE)), HERE).probe()
    assert (found.ok, found.version) == (True, TESTED), found.detail


@needs_sandbox
@pytest.mark.parametrize(
    ("body", "end", "says"),
    [
        ("echo 'error: unknown option' >&2; exit 1", AgentEnd.UNSTARTED, "did not start (exit code 1): error: unknown"),
        ("cat >/dev/null & exit 0", AgentEnd.CRASHED, "without a result"),
        ("""echo '{"type":"system","subtype":"init"}'; exit 3""", AgentEnd.CRASHED, "exited with 3"),
    ],
    ids=["option", "nothing", "died"],
)
def test_one_that_says_no_result(tmp_path: Path, body: str, end: AgentEnd, says: str) -> None:
    agent = ClaudeAgent(settings(tmp_path, claude=stand_in(tmp_path, body)), HERE)
    result, _ = follow(agent.start(work(tmp_path)))
    assert result.end is end, result
    assert says in result.detail
    assert (result.report.cost_usd, result.report.tokens) == (None, None)


@needs_sandbox
def test_a_quotas_reset_reaches_its_result(tmp_path: Path) -> None:
    limit = {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected", "resetsAt": 1_900_000_000}}
    refused = _RESULT | {"is_error": True, "terminal_reason": "api_error", "api_error_status": 429}
    body = f"echo '{json.dumps(limit)}'; echo '{json.dumps(refused)}'; exit 1"
    agent = ClaudeAgent(settings(tmp_path, claude=stand_in(tmp_path, body)), HERE)
    result, _ = follow(agent.start(work(tmp_path)))
    assert (result.end, result.resets_at) == (AgentEnd.QUOTA, 1_900_000_000.0)


@needs_sandbox
@pytest.mark.parametrize(
    ("written", "end", "says"),
    [
        ('{"status": "failed"}', AgentEnd.FAILED, "It reports failure."),
        ('{"status": "done", "more": 1}', AgentEnd.CRASHED, "its report is not valid"),
    ],
)
def test_its_report_counts_as_any_agents(tmp_path: Path, written: str, end: AgentEnd, says: str) -> None:
    body = f"echo '{written}' > $OPS_REPORT; echo '{json.dumps(_RESULT)}'"
    agent = ClaudeAgent(settings(tmp_path, claude=stand_in(tmp_path, body)), HERE)
    result, _ = follow(agent.start(work(tmp_path)))
    assert (result.end, says in result.detail) == (end, True), result
