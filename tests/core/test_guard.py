"""Each safety rail: what it refuses, what it lets pass, and what follows from its no."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.change import FileChange
from ops_orchestrate.core.guard import GUARDS, judge, strictest
from ops_orchestrate.core.refusal import Consequence, Refusal, SecretFinding, Subject, named
from tests.builders import make_task
from tests.core.changes import changed, make_refusal, make_subject

RULES = {guard.name: guard.rule for guard in GUARDS}


def ask(rule: str, *files: FileChange, **kw: object) -> Refusal | None:
    return RULES[rule](make_subject(*files, **kw))


def test_the_rails_stand_in_their_order() -> None:
    assert [guard.name for guard in GUARDS] == [
        "secret-files",
        "secrets-in-diff",
        "ownership",
        "special-files",
        "ci-config",
        "planning-state",
        "weakened-tests",
        "size",
        "sensitive-paths",
    ]


def test_an_ordinary_change_passes_every_guard() -> None:
    subject = make_subject(
        changed(added=("x = 1",), removed=("x = 0",)), changed("docs/a.md"), spec=make_task(paths=())
    )
    assert judge(subject) == ()


def test_an_empty_diff_passes_every_guard() -> None:
    assert judge(make_subject()) == ()


@pytest.mark.parametrize("status", ["A", "M", "D"])
def test_secret_files_are_refused_however_they_are_touched(status: str) -> None:
    refusal = ask("secret-files", changed("app/.env", status=status))
    assert refusal is not None
    assert refusal.consequence is Consequence.BLOCK
    assert refusal.files == ("app/.env",)


@pytest.mark.parametrize(("old", "new"), [(".env", "notes.txt"), ("notes.txt", "deploy.pem")])
def test_secret_files_are_refused_when_moved_in_or_out(old: str, new: str) -> None:
    refusal = ask("secret-files", changed(new, old_path=old, status="R100"))
    assert refusal is not None
    assert refusal.consequence is Consequence.BLOCK


def test_copying_a_secrets_file_elsewhere_leaves_the_source_alone() -> None:
    # What was copied is judged by its lines, in secrets-in-diff.
    assert ask("secret-files", changed("notes.txt", old_path=".env", status="C100")) is None


def test_a_template_needs_a_person_and_a_real_file_beside_it_outweighs_that() -> None:
    template = ask("secret-files", changed(".env.example"))
    both = ask("secret-files", changed(".env.example"), changed(".env"))
    assert template is not None
    assert template.consequence is Consequence.ASK
    assert both is not None
    assert both.consequence is Consequence.BLOCK
    assert both.files == (".env",)


def test_secrets_in_diff_says_where_and_what_kind() -> None:
    found = (
        SecretFinding(path="a.py", kind="AWS key", line=3),
        SecretFinding(path="a.py", kind="JSON web token", line=4),
    )
    refusal = ask("secrets-in-diff", changed("a.py"), secrets=found)
    assert refusal is not None
    assert refusal.consequence is Consequence.BLOCK
    assert "a.py (AWS key, added line 3)" in refusal.detail
    assert refusal.files == ("a.py",)
    assert ask("secrets-in-diff", changed("a.py")) is None


def test_ownership_is_repaired_once_then_asked_about() -> None:
    spec = make_task(paths=("src/t1/**",))
    first = ask("ownership", changed("src/t1/a.py"), changed("src/t2/b.py"), spec=spec)
    again = ask("ownership", changed("src/t2/b.py"), spec=spec, refused_before=("ownership",))
    assert first is not None
    assert (first.consequence, first.files) == (Consequence.RETRY, ("src/t2/b.py",))
    assert again is not None
    assert again.consequence is Consequence.ASK


@pytest.mark.parametrize(("old", "new"), [("src/t1/a.py", "lib/a.py"), ("lib/a.py", "src/t1/a.py")])
def test_ownership_counts_both_ends_of_a_move(old: str, new: str) -> None:
    refusal = ask("ownership", changed(new, old_path=old, status="R090"), spec=make_task(paths=("src/t1/**",)))
    assert refusal is not None
    assert refusal.files == ("lib/a.py",)


def test_ownership_without_declared_paths_is_the_whole_repository() -> None:
    assert ask("ownership", changed("anything/at/all")) is None
    assert ask("ownership", changed("src/t1/a.py"), spec=make_task(paths=("src/t1/**",))) is None


SPECIAL = [
    ("a new symbolic link", changed("link", status="A", new_mode="120000")),
    ("a file that becomes a link", changed("a.py", status="T", new_mode="120000")),
    ("a link that becomes a file", changed("a.py", status="T", old_mode="120000")),
    ("a submodule", changed("vendor/x", status="A", new_mode="160000")),
    (".gitmodules", changed(".gitmodules", status="A")),
    (".gitattributes below", changed("src/.gitattributes", status="A")),
    ("another letter case", changed(".GitModules", status="A")),
    ("an existing file made executable", changed("a.sh", new_mode="100755")),
    ("a newline in the name", changed("a\nb.py")),
    ("an escape in the name", changed("a\x1b[2J.py")),
    ("a bidirectional override", changed("a\u202egpj.exe")),
    ("a line separator", changed("a\u2028b")),
    ("no UTF-8", changed("a\udcff.py")),
    ("..", changed("src/../../etc/passwd")),
    ("absolute", changed("/etc/passwd")),
    ("a drive", changed("C:/windows")),
    ("a home", changed("~/x")),
    ("a backslash path", changed("src\\..\\..\\x")),
    (".git", changed(".git/hooks/post-checkout")),
    (".git in a folder", changed("sub/.GIT/config")),
    (".git with a trailing dot", changed("sub/.git./config")),
    (".git with a stream", changed(".git::$INDEX_ALLOCATION/config")),
    ("the short name of .git", changed("GIT~1/config")),
    (".git with a hidden character", changed(".g\u200cit/config")),
    ("an empty part", changed("src//a.py")),
    ("a move out of .git", changed("a", old_path=".git/config", status="R100")),
]


@pytest.mark.parametrize("change", [case[1] for case in SPECIAL], ids=[case[0] for case in SPECIAL])
def test_special_files_are_refused_for_good(change: FileChange) -> None:
    refusal = ask("special-files", change)
    assert refusal is not None
    assert refusal.consequence is Consequence.BLOCK
    assert refusal.files


def test_special_files_never_repeat_a_control_character_to_a_person() -> None:
    refusal = ask("special-files", changed("a\x1b[2J\n.py"))
    assert refusal is not None
    assert refusal.detail.isprintable()


@pytest.mark.parametrize(("one", "other"), [("README.md", "readme.md"), ("caf\u00e9.py", "cafe\u0301.py")])
def test_two_names_of_one_file_are_special(one: str, other: str) -> None:
    refusal = ask("special-files", changed(one), changed(other))
    assert refusal is not None
    assert refusal.files == (other,)


def test_a_new_executable_needs_a_person_and_an_unchanged_mode_nobody() -> None:
    new = ask("special-files", changed("run.sh", status="A", new_mode="100755"))
    assert new is not None
    assert new.consequence is Consequence.ASK
    assert ask("special-files", changed("run.sh", old_mode="100755", new_mode="100755")) is None
    assert ask("special-files", changed("run.sh", old_mode="100755", new_mode="100644")) is None
    assert ask("special-files", changed("naïve file (1).py"), changed(".gitignore")) is None


def test_ci_config_needs_a_person() -> None:
    refusal = ask("ci-config", changed(".github/workflows/ci.yml"), changed("src/a.py"), changed("go.sum"))
    assert refusal is not None
    assert (refusal.consequence, refusal.files) == (Consequence.ASK, (".github/workflows/ci.yml", "go.sum"))
    assert ask("ci-config", changed("src/a.py")) is None


def test_a_file_that_the_gate_itself_runs_needs_a_person() -> None:
    spec = make_task(gate="sh scripts/check.sh")
    refusal = ask("ci-config", changed("scripts/check.sh", added=("exit 0",)), changed("src/a.py"), spec=spec)
    assert refusal is not None
    assert (refusal.consequence, refusal.files) == (Consequence.ASK, ("scripts/check.sh",))
    assert ask("ci-config", changed("scripts/check.sh")) is None  # another project's gate


def test_planning_state_is_left_to_people_and_a_new_attempt() -> None:
    refusal = ask("planning-state", changed(".planning/STATE.md"))
    assert refusal is not None
    assert refusal.consequence is Consequence.RETRY
    assert ask("planning-state", changed(".planning/phases/1.md")) is None


@pytest.mark.parametrize(("count", "refused"), [(50, False), (51, True)])
def test_size_is_counted_in_files(count: int, refused: bool) -> None:
    refusal = ask("size", *(changed(f"f{at}") for at in range(count)))
    assert (refusal is not None) is refused
    assert refusal is None or refusal.consequence is Consequence.ASK


def test_a_change_that_was_not_read_whole_passes_nowhere() -> None:
    subject = make_subject(changed("f"))
    subject = subject.model_copy(update={"diff": subject.diff.model_copy(update={"truncated": True})})
    refusal = RULES["size"](subject)
    assert refusal is not None
    assert refusal.consequence is Consequence.BLOCK


@pytest.mark.parametrize(
    ("path", "kw", "refused"),
    [
        ("src/auth/session.py", {}, True),
        ("src/paymentService.ts", {}, True),
        ("src/a.py", {}, False),
        ("infra/a.py", {"sensitive": ("infra/",)}, True),
        ("src/a.py", {"sensitive": ("infra/",)}, False),
        ("src/a.py", {"spec": make_task(paths=(), sensitive="auth: its text says so")}, True),
    ],
)
def test_sensitive_paths_need_a_person(path: str, kw: dict[str, object], refused: bool) -> None:
    refusal = ask("sensitive-paths", changed(path), **kw)
    assert (refusal is not None) is refused
    assert refusal is None or refusal.consequence is Consequence.ASK


def test_several_refusals_come_in_the_order_of_the_rails() -> None:
    found = judge(make_subject(changed(".github/a"), changed(".planning/STATE.md"), changed("x.pem")))
    assert [refusal.rule for refusal in found] == ["secret-files", "ci-config", "planning-state", "sensitive-paths"]


def test_the_strictest_refusal_decides_in_any_order() -> None:
    block, retry, may = (make_refusal(c) for c in (Consequence.BLOCK, Consequence.RETRY, Consequence.ASK))
    assert all(strictest(order) == block for order in permutations((block, retry, may)))
    assert all(strictest(order) == retry for order in permutations((retry, may)))
    assert strictest(()) is None


ANY_FILE = st.builds(
    changed,
    st.text(min_size=1, max_size=30),
    status=st.sampled_from(["A", "M", "D", "T", "R100", "C100"]),
    old_path=st.none() | st.text(min_size=1, max_size=30),
    old_mode=st.sampled_from(["000000", "100644", "100755", "120000", "160000"]),
    new_mode=st.sampled_from(["000000", "100644", "100755", "120000", "160000"]),
    added=st.lists(st.text(max_size=40), max_size=4).map(tuple),
    removed=st.lists(st.text(max_size=40), max_size=4).map(tuple),
)


@given(st.lists(ANY_FILE, max_size=5), ANY_FILE)
def test_one_more_file_never_lifts_a_refusal_of_names(files: list[FileChange], more: FileChange) -> None:
    # weakened-tests is left out: a test that moves is replaced by the file it moves to.
    before = {r.rule for r in judge(make_subject(*files))} - {"weakened-tests"}
    after = {r.rule for r in judge(make_subject(*files, more))}
    assert before <= after


@given(st.lists(ANY_FILE, max_size=5))
def test_every_refusal_can_be_shown_on_one_line(files: list[FileChange]) -> None:
    for refusal in judge(
        make_subject(*files, secrets=tuple(SecretFinding(path=f.path, kind="k", line=1) for f in files))
    ):
        assert refusal.detail.isprintable()


def test_named_counts_what_it_leaves_out() -> None:
    assert named([f"f{at}" for at in range(23)]).endswith("f19 and 3 more")
    assert named(["a", "a", "b"]) == "a, b"


def test_a_subject_says_everything_a_guard_may_look_at() -> None:
    assert set(Subject.model_fields) == {"diff", "spec", "secrets", "sensitive", "refused_before"}
