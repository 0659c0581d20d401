"""The receipt of a merge: every row of the table but the one that decided, and what was seen."""

from __future__ import annotations

from ops_orchestrate.core.merge.decide import ROWS, decide
from ops_orchestrate.core.merge.pull import Conclusion
from ops_orchestrate.core.merge.pull import ReviewState as Said
from ops_orchestrate.core.merge.receipt import receipt
from tests.core.merge.seen import BASE, HEAD, check, review, seen, thread


def test_it_names_every_row_that_had_nothing_against_it() -> None:
    looked = seen()
    told = receipt(looked, decide(looked))
    assert told["row"] == "merge"
    assert told["passed"] == [row.name for row in ROWS if row.name != "merge"]
    assert (told["head"], told["base"]) == (HEAD, BASE)
    assert told["text"].startswith(f"{len(ROWS) - 1} rows have nothing against it; ")


def test_it_says_what_was_seen_of_checks_and_people_in_one_line_each() -> None:
    checks = (check("tests", Conclusion.SUCCESS), check("li\nnt\x1b[31m", Conclusion.SKIPPED))
    looked = seen(pull={"checks": checks, "reviews": (review(Said.APPROVED),), "threads": (thread(),)})
    told = receipt(looked, decide(seen()))
    assert [one.rpartition(": ")[2] for one in told["checks"]] == ["success", "skipped"]
    assert all("\n" not in one and "\x1b" not in one for one in told["checks"])
    assert len(told["approved_by"]) == 1
    assert "1 open threads" in told["text"]
