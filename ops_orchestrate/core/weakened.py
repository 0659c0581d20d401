"""The guard against agents that make a gate green by asking less of it.

It looks for tests and assertions that went away without another in their place, for tests switched off, and for
commands whose failure is ignored. It reads lines, not programs: it can be deceived (an expected value changed to
what the code returns), so it is one guard beside a reviewer, and it never says that tests are good.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from ops_orchestrate.core.change import FileChange
from ops_orchestrate.core.pathclass import folded, is_test_file
from ops_orchestrate.core.refusal import Consequence, Refusal, Subject, named

_TEST = re.compile(
    r"^\s*(?:async\s+)?def\s+test\w*"  # Python
    r"|^\s*class\s+Test\w*"
    r"|^\s*func\s+(?:Test|Fuzz|Benchmark)\w*\s*\("  # Go
    r"|\b(?:it|test|specify|scenario)(?:\.(?:each|concurrent))*\s*[\(`]"  # JavaScript and its kin
    r"|^\s*(?:it|test|specify|scenario)\s+['\"]"  # Ruby, Elixir
    r"|#\[(?:\w+::)*test\b"  # Rust
    r"|@(?:Test|ParameterizedTest|Property)\b"  # Java, Kotlin
    r"|\[(?:Test|Fact|Theory|TestMethod)\b"  # C#
    r"|\bfunction\s+test\w*\s*\("  # PHP
    r"|^\s*@test\s"  # bats
    r"|^\s*TEST(?:_F|_P)?\s*\("  # C++
)
_ASSERT = re.compile(
    r"\bassert\w*\b[!\s(.]|\bself\.(?:assert|fail)\w*|\bexpect\w*\s*[(.{]|\b(?:pytest|self)\.(?:raises|warns|assertRaises)\b"
    r"|\bt\.(?:Error|Fatal|Fail)\w*\(|\brequire\.\w+\(|\.should\b|\bshould\.|\bverify\w*\s*\(|\bEXPECT_\w+\("
    r"|\bASSERT_\w+\(|\bXCTAssert\w*\("
)
#: They look like an assertion and can never fail, so they replace nothing.
_IDLE = re.compile(
    r"^\s*assert(?:\s+|\(\s*)(?:True|true|1)\b\s*(?:,.*|\).*)?;?$"
    r"|\bassert(?:True|_true|That)?\s*!?\(\s*(?:True|true)\s*[,)]"
    r"|\bassert\w*!?\(\s*(\w+)\s*,\s*\1\s*\)"
    r"|\bexpect\(\s*(true|1)\s*\)\s*\.\s*to(?:\.be|Be|Equal|StrictEqual|\.equal)?\w*\(?\s*(?:\2)?"
)
_OFF = re.compile(
    r"@(?:pytest\.mark\.|unittest\.)?(?:skip|skipif|skipIf|skipUnless|xfail|expectedFailure)\b"
    r"|\bpytest\.(?:mark\.(?:skip|skipif|xfail)|skip|xfail|importorskip)\b|\bself\.skipTest\(|\bSkipTest\b"
    r"|\bcollect_ignore\b|\bpytestmark\s*=.*(?:skip|xfail)"
    r"|\b(?:it|test|describe|context|suite)\.(?:skip|only|todo|fixme|failing|skipIf|runIf)\b"
    r"|\b(?:xit|xtest|xdescribe|xcontext|fit|fdescribe|fcontext)\s*\("
    r"|\bt\.Skip(?:f|Now)?\(|\btesting\.Short\(\)"
    r"|#\[ignore\b|@(?:Disabled|Ignore)\b|\[Ignore\b|\bSkip\s*=\s*\""
    r"|^\s*(?:skip|pending|xit)\s+['\"]|@tag\s+:?skip\b|\bmarkTest(?:Skipped|Incomplete)\("
    r"|\bGTEST_SKIP\b|\bDISABLED_\w+"
)
_IGNORED = re.compile(
    r"\|\|\s*(?:true|:|exit\s+0|echo\b)|\bset\s+\+e\b|;\s*(?:true|exit\s+0)\s*[\"']?\s*$|--(?:passWithNoTests|pass-with-no-tests)\b"
    r"|--(?:deselect|ignore|ignore-glob)\b|continue-on-error:\s*true|allow_failure:\s*true|\bignore_errors\b"
    r"|--no-verify\b|--exit-zero\b|\bignore_outcome\s*=\s*true"
)
_SCRIPT = re.compile(
    r"(?:^|/)(?:[^/]*\.(?:sh|bash|zsh|ya?ml|toml|ini|cfg|mk|bats)|makefile|gnumakefile|justfile|dockerfile|jenkinsfile"
    r"|package\.json|procfile|\.[a-z-]+rc)$"
)


def weakened_tests(subject: Subject) -> Refusal | None:
    """Tests are not deleted, thinned out, switched off or ignored without a person's consent."""
    files = subject.diff.files
    tests = [change for change in files if _holds_tests(change)]
    added_anywhere = Counter(line.strip() for change in tests for line in change.added)
    gone = [why for change in tests if (why := _gone(change, added_anywhere))]
    off = [why for change in files if (why := _switched_off(change))]
    if not gone and not off:
        return None
    reasons = [*gone, *off]
    detail = f"It weakens the tests: {named(f'{path}: {why}' for path, why in reasons)}."
    paths = tuple(dict.fromkeys(path for path, _ in reasons))
    return Refusal(rule="weakened-tests", detail=detail, files=paths, consequence=Consequence.ASK)


def _holds_tests(change: FileChange) -> bool:
    old = change.old_path or change.path
    # Rust keeps unit tests inside the source file.
    return is_test_file(change.path) or is_test_file(old) or change.path.endswith(".rs")


def _gone(change: FileChange, added_anywhere: Counter[str]) -> tuple[str, str] | None:
    old = change.old_path or change.path
    if change.status.startswith("D") and is_test_file(change.path):
        return (change.path, "deleted")
    if change.status.startswith("R") and is_test_file(old) and not is_test_file(change.path):
        return (old, "moved to where no test is found")
    # A line that comes back in another test file was moved, not removed.
    removed = [line for line in change.removed if not added_anywhere[line.strip()]]
    for what, pattern in (("tests", _TEST), ("assertions", _ASSERT)):
        lost = _count(removed, pattern) - _count(change.added, pattern)
        if lost > 0:
            return (change.path, f"{lost} fewer {what}")
    return None


def _count(lines: Iterable[str], pattern: re.Pattern[str]) -> int:
    return sum(1 for line in lines if pattern.search(line) and not _IDLE.search(line) and not _comment(line))


def _comment(line: str) -> bool:
    # `#[test]` is Rust's attribute, not a comment.
    return line.lstrip().startswith(("//", "# ", "/*", "* ", "--", "<!--"))


def _switched_off(change: FileChange) -> tuple[str, str] | None:
    before = Counter(line.strip() for line in change.removed)
    new = [line for line in change.added if not before[line.strip()]]
    if _holds_tests(change) and (line := _first(new, _OFF)):
        return (change.path, f"switches tests off ({line})")
    if _SCRIPT.search(folded(change.path)) and (line := _first(new, _IGNORED)):
        return (change.path, f"ignores a failure ({line})")
    return None


def _first(lines: Sequence[str], pattern: re.Pattern[str]) -> str:
    """What matched first, as the sign of it: a whole line might hold anything."""
    return next((found.group().strip() for line in lines if (found := pattern.search(line))), "")
