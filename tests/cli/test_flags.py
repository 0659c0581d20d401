"""Every way to get the command line, a setting or a file wrong: one sentence and its exit code, never a traceback."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops_orchestrate.config import load_settings
from tests.cli.house import House, call

LISTS = "`ops-orchestrate {} --help` lists what there is."


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """An installation that no run has touched."""
    with pytest.MonkeyPatch.context() as patch:
        made = House.build(patch)
        (made.home / "not.json").write_text("{")
        (made.home / "bare").mkdir()
        made.write("cycle.json", [{"id": "a", "project": "api", "title": "A", "blocked_by": ["a"]}])
        made.write("stranger.json", [{"id": "a", "project": "apy", "title": "A"}])
        yield made
        made.close()


USAGE = [
    ("rnu", f'There is no verb "rnu". Did you mean "run"? {LISTS.format("").replace("  ", " ")}'),
    ("frobnicate", f'There is no verb "frobnicate". {LISTS.format("").replace("  ", " ")}'),
    ("run --subagent", f'There is no option "--subagent". Did you mean "--subagents"? {LISTS.format("run")}'),
    ("status --all", f'There is no option "--all". {LISTS.format("status")}'),
    ("run --project", "--project: it needs a value."),
    ("plan --force=3", "--force: it takes no value."),
    ("explain", f"RUN is missing. {LISTS.format('explain')}"),
    ("explain last", f"TASK is missing. {LISTS.format('explain')}"),
    ("answer last t1", f"ANSWER is missing. {LISTS.format('answer')}"),
    ("init", f"FOLDER is missing. {LISTS.format('init')}"),
    ("run --teams --subagents", "--subagents and --teams contradict each other: give one mode."),
    (
        "plan --hybrid --teams --subagents",
        "--subagents, --teams and --hybrid contradict each other: give one mode.",
    ),
    (
        "run --dry-run --force",
        "--dry-run merges nothing, so --force has nothing to skip: give one of them.",
    ),
    ("run --max-waves 0", "--max-waves takes a whole number from 1 up, not '0'."),
    ("run --max-waves=-1", "--max-waves takes a whole number from 1 up, not '-1'."),
    ("plan --max-waves abc", "--max-waves takes a whole number from 1 up, not 'abc'."),
    ("plan --max-waves 1.5", "--max-waves takes a whole number from 1 up, not '1.5'."),
    ("plan --project apy", 'No project "apy" in {home}/data/registry.json. Did you mean "api"?'),
    (
        "plan --registry {home}/gone.json",
        "{home}/gone.json, given with --registry, does not exist. `ops-orchestrate init FOLDER…` makes one.",
    ),
    (
        "plan --registry {home}/not.json",
        (
            "{home}/not.json is not valid JSON (line 1, column 2: Expecting property name enclosed in double quotes). "
            "It ends in the middle: was it cut off?"
        ),
    ),
    ("plan --tasks {home}/gone.yaml", "{home}/gone.yaml does not exist."),
    (
        "run --tasks {home}/stranger.json",
        '{home}/stranger.json: task "a", field `project`: "apy" is not registered. Did you mean "api"?',
    ),
    ("init {home}/nowhere --registry {home}/new.json", "{home}/nowhere is not a folder."),
    (
        "init {home}/bare --registry {home}/new.json",
        "There is no git repository in {home}/bare; name a folder that holds some.",
    ),
    (
        "init {home}/code",
        (
            "{home}/data/registry.json exists already: --accept-gates gives its entries the gates that they lack; "
            "add entries by hand, or give --registry another path."
        ),
    ),
]


@pytest.mark.parametrize(("line", "sentence"), USAGE, ids=[line for line, _ in USAGE])
def test_what_is_wrong_on_the_command_line(line: str, sentence: str, house: House) -> None:
    said = call(*line.format(home=house.home).split())
    assert said.err == f"error: {sentence.format(home=house.home)}\n"
    assert (said.code, said.out) == (2, "")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "OPS_MAX_AGENTS",
            "6",
            'OPS_MAX_AGENTS: "6" is not a whole number from 1 to 5. Change it, or unset it: then it is 5.\n',
        ),
        (
            "OPS_MAX_AGENTS",
            "banana",
            'OPS_MAX_AGENTS: "banana" is not a whole number from 1 to 5. Change it, or unset it: then it is 5.\n',
        ),
        ("OPS_LEASE", "soon", 'OPS_LEASE: "soon" is not a number above 0. Change it, or unset it: then it is 90.\n'),
        ("OPS_LEASE", "inf", 'OPS_LEASE: "inf" is not a number above 0. Change it, or unset it: then it is 90.\n'),
        (
            "OPS_REVIEW_LIMIT",
            "-1",
            (
                'OPS_REVIEW_LIMIT: "-1" is not a number above 0 and of at most 3,600. Change it, or unset it: then '
                "it is 900.\n"
            ),
        ),
        ("OPS_MAX_DAY_USD", "free", 'OPS_MAX_DAY_USD: "free" is not a number above 0'),
        (
            "OPS_LOG_LEVEL",
            "infos",
            (
                'OPS_LOG_LEVEL: "infos" is none of debug, info, warning, error. Did you mean "info"? Change it, or '
                "unset it: then it is info.\n"
            ),
        ),
        (
            "OPS_SPARE_TREES",
            "maybe",
            'OPS_SPARE_TREES: "maybe" is neither true nor false. Change it, or unset it: then it is true.\n',
        ),
        ("OPS_HEARTBEAT", "60", 'OPS_HEARTBEAT: "60" must be at most a third of the lease (9 s).\n'),
        ("OPS_LEASE", "1", 'OPS_HEARTBEAT: "1" must be at most a third of the lease (1 s).\n'),
        ("OPS_MODELS", "{", "OPS_MODELS: it is not JSON. Write it as JSON, or unset it.\n"),
        ("OPS_NIGHTLY", "3am", "OPS_NIGHTLY: '3am' is no time of day such as 03:00.\n"),
        (
            "OPS_AGENT_COMMAND",
            f"agent --token ghp_{'a1B2' * 9}",
            "OPS_AGENT_COMMAND: has what looks like a secret in it (GitHub token); put that into a variable",
        ),
        ("OPS_CONFIG", "/tmp/no-such.toml", "/tmp/no-such.toml, which OPS_CONFIG names, is no file."),
        ("OPS_AGENT_COMMAND", "[1,", "OPS_AGENT_COMMAND: is neither a JSON list nor words as a shell splits them"),
    ],
)
def test_what_is_wrong_in_a_setting(
    name: str,
    value: str,
    sentence: str,
    house: House,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(name, value)
    said = call("projects")
    assert said.err.startswith(f"error: {sentence}")
    assert (said.code, said.out) == (2, "")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("lease = ", "orchestrate.toml cannot be read: Invalid value (at end of document)."),
        ("leese = 4", """orchestrate.toml: 'leese' is not a setting. Did you mean "lease"?"""),
        ("[agents]", "orchestrate.toml: 'agents' is not a setting."),
        (
            "stall_after = 'x'",
            'orchestrate.toml, stall_after: "x" is not a number above 0. Change it, or take the line out',
        ),
    ],
)
def test_what_is_wrong_in_the_settings_file(
    text: str, sentence: str, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "orchestrate.toml"
    file.write_text(text)
    monkeypatch.setenv("OPS_CONFIG", str(file))
    said = call("projects")
    assert said.err.startswith(f"error: {tmp_path}/{sentence}")
    assert (said.code, said.out) == (2, "")


def test_the_environment_wins_over_the_settings_file(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ops.toml").write_text("stall_after = 'x'\nmax_attempts = 2\n")
    monkeypatch.setenv("OPS_CONFIG", str(tmp_path / "ops.toml"))
    monkeypatch.setenv("OPS_STALL_AFTER", "7")
    settings = load_settings()
    assert (settings.stall_after, settings.max_attempts) == (7, 2)


ERRORS = [
    (
        "run",
        {"OPS_AGENT": "command"},
        "No agent is configured: set OPS_AGENT to the name of one, or OPS_AGENT_COMMAND to a command of your own.",
    ),
    (
        "run",
        {"OPS_AGENT": "command", "OPS_AGENT_COMMAND": "no-such-agent"},
        "The agent's command no-such-agent is not on the PATH; see OPS_AGENT_COMMAND.",
    ),
    (
        "report",
        {},
        "There is no run yet in {home}/data; `ops-orchestrate run` makes the first.",
    ),
    (
        "resume",
        {},
        "There is no run yet in {home}/data; `ops-orchestrate run` makes the first.",
    ),
    (
        "answer last t1 yes",
        {},
        "There is no run yet in {home}/data; `ops-orchestrate run` makes the first.",
    ),
    (
        "status",
        {"OPS_REDIS_URL": "unix:///tmp/no-such-server.sock"},
        (
            "The ledger's server at /tmp/no-such-server.sock (database 2) does not answer: start it, or "
            "correct OPS_REDIS_URL."
        ),
    ),
    (
        "run",
        {"OPS_REQUIRED_SERVICES": "gateway"},
        (
            "Required service gateway: its health is not known (there is no daemon-health.json; the daemon is not "
            "running). Mend that, or take it out of OPS_REQUIRED_SERVICES."
        ),
    ),
]


@pytest.mark.parametrize(("line", "env", "sentence"), ERRORS, ids=[f"{line} {env}" for line, env, _ in ERRORS])
def test_what_is_missing(
    line: str,
    env: dict[str, str],
    sentence: str,
    house: House,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    said = call(*line.split())
    assert said.err == f"error: {sentence.format(home=house.home)}\n"
    assert (said.code, said.out) == (1, "")
    assert not (house.home / "data" / "orchestrate").exists(), "nothing was started or written"


@pytest.mark.parametrize("server", ["", "unix:///tmp/no-such-server.sock"])
def test_an_agent_that_does_not_exist_is_an_impossible_setting(
    house: House, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    """Also where agents run on other machines: there it would be said once an attempt, by each of them."""
    monkeypatch.setenv("OPS_AGENT", "claud")
    monkeypatch.setenv("OPS_REDIS_URL", server)
    monkeypatch.setattr("ops_orchestrate.cli.run.check_server", lambda _settings: None)
    said = call("run")
    there = "claude, opencode, gemini, codex, acp, command, scripted"
    assert said.err == f"error: OPS_AGENT is 'claud'; there are: {there}.\n"
    assert (said.code, said.out) == (2, "")
    assert not (house.home / "data" / "orchestrate").exists(), "nothing was started or written"


def test_a_machine_without_a_sandbox_is_told_before_anything_is_started(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPS_UNSANDBOXED_OK", "0")
    only_git = tmp_path / "bin"
    only_git.mkdir()
    git = shutil.which("git")
    assert git
    (only_git / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(only_git))
    said = call("run", "--hybrid")
    assert said.code == 1
    assert said.err.startswith("error: No sandbox works here: ")
    assert "OPS_UNSANDBOXED_OK=1" in said.err
    assert said.err.count("\n") == 1


def test_a_folder_without_a_registry_says_where_it_looked(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_DATA_DIR", str(house.home / "empty"))
    for verb in ("plan", "run", "projects"):
        said = call(verb)
        assert said.code == 2
        assert said.err == (
            f"error: There is no registry. Looked at: {house.home}/empty/registry.json. "
            "`ops-orchestrate init FOLDER…` makes one.\n"
        )


def test_the_bare_command_shows_its_verbs() -> None:
    said = call()
    assert said.code == 2
    assert "Commands:" in said.out
    assert said.err == ""


def test_a_bug_is_shown_whole_and_has_its_own_code(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("two plus two")

    monkeypatch.setattr("ops_orchestrate.cli.projects.portfolio", broken)
    said = call("projects")
    assert said.code == 3
    assert "ZeroDivisionError: two plus two" in said.err
    assert "This is a bug in ops-orchestrate." in said.err
