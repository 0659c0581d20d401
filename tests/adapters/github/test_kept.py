"""What an audit keeps for the next one: asked after before it is believed, private, and never needed."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ops_orchestrate.adapters.github import kept as kept_module
from ops_orchestrate.adapters.github.actions import runs_at
from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.kept import LONGEST_BELIEVED, LONGEST_KEPT, Kept, Memory
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.core.finding import FindingKind
from ops_orchestrate.core.forge_look import ForgeLook
from tests.adapters.github.scene import SLUG, TOKEN, Scene
from tests.adapters.github.scripted import JSON, Asked, Say, Server
from tests.adapters.github.test_source import Audit

RUNS = f"/repos/{SLUG}/actions/runs"
SIGNS = ("/user/repos", f"/repos/{SLUG}/issues")
LEARNED = [*((sign, 200) for sign in SIGNS), ("/graphql", 200), (RUNS, 304)]
UNCHANGED = [(path, 304) for path in (*SIGNS, RUNS)]


@pytest.fixture
def audit(scene: Scene, tmp_path: Path) -> Audit:
    """Audits that keep what they see in a folder."""
    made = Audit(scene)
    made.begin(tmp_path / "kept")
    scene.control.ci(SLUG, branches=["dev"], jobs=[{"name": "t", "result": "failure", "log": "E boom"}])
    for at in range(3):
        scene.control.push(SLUG, "dev", {f"{at}.txt": "x"})
    scene.control.issue(SLUG, "It hurts", by="bob")
    return made


def _files(folder: Path) -> list[Path]:
    return sorted((folder / "kept").iterdir())


def test_the_next_process_asks_only_whether_anything_changed(audit: Audit, tmp_path: Path) -> None:
    first = audit()
    for asked in (LEARNED, UNCHANGED, UNCHANGED):
        audit.begin(tmp_path / "kept")
        assert audit.requests() == asked
    assert audit() == first
    assert any("E boom" in one.detail for one in first.findings)


def test_a_workflow_that_turns_green_or_red_meanwhile_is_never_told_from_what_is_kept(
    scene: Scene, audit: Audit, tmp_path: Path
) -> None:
    audit()
    for result, red in (("success", 0), ("failure", 1)):
        scene.control.ci(SLUG, branches=["dev"], jobs=[{"name": "t", "result": result}])
        for at in range(4):
            scene.control.push(SLUG, "dev", {f"{result}{at}.txt": "x"})
        audit.begin(tmp_path / "kept")
        assert len([one for one in audit().findings if one.kind is FindingKind.CI_FAILURE]) == red


def test_a_run_that_is_run_again_is_seen_though_nothing_else_has_changed(
    scene: Scene, audit: Audit, tmp_path: Path
) -> None:
    audit()
    run = max(scene.control.repository(SLUG).runs.values(), key=lambda one: one.id)
    scene.client.write("POST", f"/repos/{SLUG}/actions/runs/{run.id}/rerun-failed-jobs")
    audit.begin(tmp_path / "kept")
    assert (RUNS, 200) in audit.requests()


def test_it_is_for_its_owner_only(audit: Audit, tmp_path: Path) -> None:
    audit()
    (file,) = _files(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert TOKEN not in file.read_text()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(b"\0" * 5000),
        lambda file: file.write_text(file.read_text()[:-40]),
        lambda file: file.write_text(file.read_text().replace(f'"format":{kept_module.FORMAT}', '"format":0')),
        lambda file: file.write_text(file.read_text().replace('"trace"', '"trail"')),
        lambda file: file.write_text(file.read_text() + " " * kept_module.LARGEST),
        lambda file: (file.unlink(), file.mkdir()),
    ],
    ids=["empty", "zeros", "cut", "other format", "other fields", "too large", "a folder"],
)
def test_a_damaged_file_counts_as_none(audit: Audit, tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    first = audit()
    spoil(_files(tmp_path)[0])
    assert audit.requests()[:2] == [("/graphql", 200), (f"/repos/{SLUG}/actions/runs", 200)]
    assert audit() == first


def test_a_folder_that_cannot_be_written_costs_a_look_and_nothing_else(audit: Audit, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("in the way")
    assert audit() == audit()


@pytest.mark.parametrize("folder", ["kept", None])
def test_what_is_older_than_a_week_or_from_the_future_counts_as_none(tmp_path: Path, folder: str | None) -> None:
    now = 1_000_000.0
    memory = Memory(tmp_path / folder if folder else None, now=lambda: now)
    memory.put("a", Kept(look=ForgeLook(slug=SLUG, writable=True), trace="t", at=now))
    kept = memory.get("a")
    assert kept
    assert kept.trace == "t"
    now += LONGEST_KEPT - 1
    assert memory.get("a")
    now += 1
    assert memory.get("a") is None
    now -= LONGEST_KEPT + 1
    assert memory.get("a") is None


def test_after_three_days_it_is_looked_at_anew_and_its_etags_hold(audit: Audit, tmp_path: Path) -> None:
    for _ in range(2):
        audit()
    audit.later += LONGEST_BELIEVED
    audit.begin(tmp_path / "kept")
    assert audit.requests() == [("/graphql", 200), (RUNS, 304)]
    assert audit.requests() == UNCHANGED


def test_what_changed_a_moment_ago_may_change_once_more_at_the_same_time(audit: Audit) -> None:
    audit.later = 1.0
    audit()
    (issue,) = audit.scene.control.repository(SLUG).issues.values()
    issue.title = "It hurts more"  # and its `updatedAt` is the same second
    assert "It hurts more" in [one.title for one in audit().findings]


def test_another_identity_sees_nothing_of_it(audit: Audit, tmp_path: Path) -> None:
    audit()
    name = audit.scene.client.identity.name
    audit.scene.client.identity.name = lambda: name() + "x"  # type: ignore[method-assign]
    assert (f"/repos/{SLUG}/actions/runs", 200) in audit.requests()
    assert len(_files(tmp_path)) == 2


def test_the_folder_is_bounded_and_the_oldest_go(audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for slug in ("acme/a", "acme/b"):
        audit.scene.add(slug)
        audit(slug)
    size = max(file.stat().st_size for file in _files(tmp_path))
    monkeypatch.setattr(kept_module, "ALL_OF_IT", 2 * size + 100)
    audit("acme/b")
    assert len(_files(tmp_path)) == 2
    audit()
    assert sum(file.stat().st_size for file in _files(tmp_path)) <= 2 * size + 100


def test_a_request_by_etag(server: Server, client: GitHubClient) -> None:
    server.say(Say(200, {"a": 1}, JSON | {"etag": 'W/"1"'}), Say(304), Say(304))
    first = client.get_if_changed("/x", Purpose.AUDIT, "")
    assert first
    assert (first.data, first.headers["etag"]) == ({"a": 1}, 'W/"1"')
    assert client.get_if_changed("/x", Purpose.AUDIT, 'W/"1"') is None
    assert [one.headers.get("if-none-match") for one in server.asked] == [None, 'W/"1"']


def test_lists_of_runs_with_one_etag_are_not_mixed_up(server: Server, client: GitHubClient) -> None:
    def run(number: int, branch: str) -> dict[str, object]:
        names = {
            "name": "ci",
            "path": ".github/workflows/ci.yml",
            "event": "push",
            "html_url": "u",
            "head_sha": "a" * 40,
        }
        ended = {"status": "completed", "conclusion": "failure", "run_attempt": 1}
        return {"id": number, "workflow_id": 1, "head_branch": branch, **names, **ended}

    def script(asked: Asked) -> Say:
        if "if-none-match" in asked.headers:
            return Say(304)
        number, branch = (2, "dev") if "branch=dev" in asked.path else (9, "other")
        return Say(200, {"total_count": 500, "workflow_runs": [run(number, branch)]}, JSON | {"etag": '"one"'})

    server.script = script
    first = runs_at(client, "o/r", ["dev"], {})
    again = runs_at(client, "o/r", ["dev"], first.pages)
    assert [one.id for one in first.runs] == [2]
    assert again == first
    assert [one.headers.get("if-none-match") for one in server.asked] == [None, None, '"one"', '"one"']
