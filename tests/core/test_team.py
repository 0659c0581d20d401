"""What a member is told of its team: who, where, how far, and whose files are not its own."""

from __future__ import annotations

from ops_orchestrate.core.brief import write_brief
from ops_orchestrate.core.mail import Letter, Topic
from ops_orchestrate.core.states import TaskState
from ops_orchestrate.core.task import TaskMode, TaskRecord, TaskSpec
from ops_orchestrate.core.team import Team, Teammate, letter_words, team_of, team_words
from tests.builders import make_repository, make_task

TEAM = TaskMode.TEAM


def record(spec: TaskSpec, state: TaskState = TaskState.QUEUED) -> TaskRecord:
    return TaskRecord(run="r1", spec=spec, state=state)


API = make_task("schema", repo="api", mode=TEAM, member="api-worker")
WEB = make_task("users", repo="web", mode=TEAM, member="web-worker", blocked_by=("schema",))
APP = make_task("screens", repo="app", mode=TEAM, member="app-worker", blocked_by=("users",))
ALONE = make_task("typo", repo="docs", member="docs-worker")
NAMES = {"api": "o/api", "web": "o/web", "app": "o/app"}


def test_neighbours_come_first_then_whoever_else_is_a_member() -> None:
    other = make_task("billing", repo="pay", mode=TEAM, member="pay-worker")
    everybody = [record(other), record(API, TaskState.RUNNING), record(WEB), record(APP), record(ALONE)]
    team = team_of(WEB, everybody, NAMES)
    assert team is not None
    assert [(mate.name, mate.repo, mate.tie) for mate in team.mates] == [
        ("api-worker", "o/api", "before"),
        ("app-worker", "o/app", "after"),
        ("pay-worker", "pay", ""),
    ]
    assert [mate.name for mate in team.awaited] == ["api-worker"]
    assert team_of(ALONE, everybody, NAMES) is None


def test_a_member_that_starts_early_is_told_what_it_may_not_count_on() -> None:
    mate = Teammate(name="api-worker", task="schema", repo="api", state=TaskState.RUNNING, tie="before")
    early = "\n".join(team_words(Team(me="web-worker", mates=(mate,))))
    assert "You are web-worker" in early
    assert "You start early: api-worker has not finished yet." in early
    done = mate.model_copy(update={"state": TaskState.COMPLETED})
    assert "start early" not in "\n".join(team_words(Team(me="web-worker", mates=(done,))))


def test_the_brief_has_the_team_the_messages_and_whose_files_are_not_its_own() -> None:
    said = Letter(number=1, sender="ana", topic=Topic.PERSON, text="Use V2.")
    brief = write_brief(
        WEB,
        repository=make_repository("web"),
        branch="b",
        base="0" * 40,
        attempt=1,
        team=Team(me="web-worker"),
        letters=[said, Letter(number=2, sender="x", topic=Topic.HAND_OVER, text="SEEN ELSEWHERE")],
        not_owned=[("src/api/users.ts", "api-worker")],
    )
    assert "Do NOT edit: src/api/users.ts (owned by api-worker)" in brief
    assert "You are web-worker, a member of a team." in brief
    assert "(source: message 1, person from ana)\nUse V2.\n" in brief
    assert "SEEN ELSEWHERE" not in brief


def test_of_many_messages_the_latest_are_told() -> None:
    letters = [Letter(number=n, sender="ana", topic=Topic.PERSON, text=f"word {n}") for n in range(1, 60)]
    words = list(letter_words(letters, "nonce"))
    assert len(words) == 21
    assert "word 59" in words[-1]
