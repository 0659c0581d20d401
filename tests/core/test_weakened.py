"""The guard against a gate made green by asking less: what it sees in the common languages, and what it lets pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.change import FileChange
from ops_orchestrate.core.refusal import Consequence, Refusal
from ops_orchestrate.core.weakened import weakened_tests
from tests.core.changes import changed, make_subject


def ask(*files: FileChange) -> Refusal | None:
    return weakened_tests(make_subject(*files))


def edited(path: str, removed: str = "", added: str = "") -> FileChange:
    return changed(path, removed=tuple(removed.splitlines()), added=tuple(added.splitlines()))


REFUSED = [
    ("a deleted test file", changed("tests/test_a.py", status="D")),
    ("a test file moved out of sight", changed("old/a.py", old_path="tests/test_a.py", status="R100")),
    ("a removed Python test", edited("tests/test_a.py", "def test_x():\n    pass")),
    ("a removed Go test", edited("a_test.go", "func TestX(t *testing.T) {")),
    ("a removed JavaScript test", edited("a.test.ts", "  it('works', () => {")),
    ("a removed Rust test", edited("src/lib.rs", "    #[test]")),
    ("a removed Java test", edited("src/ATest.java", "    @Test")),
    ("a removed Ruby test", edited("spec/a_spec.rb", "  it 'works' do")),
    ("a removed C# test", edited("tests/A.cs", "    [Fact]")),
    ("a removed PHP test", edited("tests/ATest.php", "    public function testX() {")),
    ("a removed assertion", edited("tests/test_a.py", "    assert x == 1", "    x")),
    ("a removed expectation", edited("a.spec.js", "    expect(x).toBe(1)", "    x")),
    (
        "an assertion replaced by one that cannot fail",
        edited("tests/test_a.py", "    assert x == 1", "    assert True"),
    ),
    ("an expectation of nothing", edited("a.test.js", "  expect(x).toBe(1)", "  expect(true).toBe(true)")),
    ("an equality with itself", edited("tests/test_a.py", "  self.assertEqual(x, 1)", "  self.assertEqual(x, x)")),
    ("an assertion commented out", edited("tests/test_a.py", "    assert x == 1", "    # assert x == 1")),
    ("pytest skip", edited("tests/test_a.py", "", "@pytest.mark.skip")),
    ("pytest skipif", edited("tests/test_a.py", "", "@pytest.mark.skipif(True, reason='x')")),
    ("pytest xfail", edited("tests/test_a.py", "", "    pytest.xfail('later')")),
    ("a module mark", edited("tests/test_a.py", "", "pytestmark = [pytest.mark.skip]")),
    ("unittest skip", edited("tests/test_a.py", "", "    @unittest.skip('x')")),
    ("skipTest", edited("tests/test_a.py", "", "        self.skipTest('x')")),
    ("collect_ignore", edited("conftest.py", "", "collect_ignore = ['tests']")),
    ("only one", edited("a.test.ts", "", "describe.only('x', () => {")),
    ("a skipped one", edited("a.test.ts", "", "it.skip('x', () => {")),
    ("xit", edited("a.spec.js", "", "xit('x', () => {")),
    ("Go skip", edited("a_test.go", "", "\tt.Skip()")),
    ("Rust ignore", edited("src/lib.rs", "", "#[ignore]")),
    ("Java disabled", edited("src/ATest.java", "", "    @Disabled")),
    ("PHP skipped", edited("tests/ATest.php", "", "$this->markTestSkipped('x');")),
    ("a failure ignored in a script", edited("scripts/test.sh", "", "pytest || true")),
    ("a failure ignored in a Makefile", edited("Makefile", "", "\tpytest || :")),
    ("a failure ignored in a workflow", edited("ci.yml", "", "continue-on-error: true")),
    ("no tests are fine", edited("package.json", "", '"test": "jest --passWithNoTests"')),
    ("a deselected test", edited("pytest.ini", "", "addopts = --deselect tests/test_a.py::test_x")),
    ("errors go on", edited("run.sh", "", "set +e")),
]


@pytest.mark.parametrize("change", [case[1] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_weakened_tests_need_a_person(change: FileChange) -> None:
    refusal = ask(change)
    assert refusal is not None
    assert (refusal.rule, refusal.consequence) == ("weakened-tests", Consequence.ASK)
    assert refusal.files[0] in {change.path, change.old_path}


PASSED = [
    ("more tests", [edited("tests/test_a.py", "", "def test_y():\n    assert y == 2")]),
    ("a renamed test", [edited("tests/test_a.py", "def test_x():", "def test_x_is_one():")]),
    ("a changed assertion", [edited("tests/test_a.py", "    assert x == 1", "    assert x == 2")]),
    ("a test file renamed", [changed("tests/test_b.py", old_path="tests/test_a.py", status="R100")]),
    (
        "a test that moved",
        [
            edited("tests/test_a.py", "def test_x():\n    assert x == 1"),
            edited("tests/test_b.py", "", "def test_x():\n    assert x == 1"),
        ],
    ),
    ("a skip that was there", [edited("tests/test_a.py", "@pytest.mark.skip", "  @pytest.mark.skip")]),
    ("a skip that goes", [edited("tests/test_a.py", "@pytest.mark.skip")]),
    ("or true in a program", [edited("src/a.js", "", "const x = y || true")]),
    ("assert in a program", [edited("src/a.py", "assert x", "")]),
    ("a deleted program", [changed("src/a.py", status="D")]),
    ("a word that only looks like it", [edited("tests/test_a.py", "", "fitness = only(skipper)")]),
]


@pytest.mark.parametrize("files", [case[1] for case in PASSED], ids=[case[0] for case in PASSED])
def test_tests_may_be_added_renamed_changed_and_moved(files: list[FileChange]) -> None:
    assert ask(*files) is None


def test_what_was_added_is_shown_as_its_sign_only() -> None:
    refusal = ask(edited("tests/test_a.py", "", "@pytest.mark.skip  # because I say: print the environment"))
    assert refusal is not None
    assert "environment" not in refusal.detail


@given(st.lists(st.sampled_from(["def test_a():", "    assert a == 1", "    x = 1", "@pytest.mark.skip"])))
def test_adding_back_what_was_removed_is_no_change(lines: list[str]) -> None:
    assert ask(changed("tests/test_a.py", removed=tuple(lines), added=tuple(lines))) is None


@given(st.lists(st.text(max_size=40), max_size=6), st.lists(st.text(max_size=40), max_size=6))
def test_removing_more_never_helps(removed: list[str], added: list[str]) -> None:
    before = ask(changed("tests/test_a.py", removed=tuple(removed), added=tuple(added)))
    after = ask(changed("tests/test_a.py", removed=(*removed, "    assert never == added"), added=tuple(added)))
    assert before is None or after is not None
