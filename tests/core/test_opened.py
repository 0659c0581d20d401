"""What a pull request of ours covers goes on there, as one piece of work, and nothing else does."""

from __future__ import annotations

from ops_orchestrate.core.finding import FindingKind
from ops_orchestrate.core.mark import OpenWork
from ops_orchestrate.core.opened import going_on
from tests.builders import make_finding
from tests.core.plans import plan_of, want

OPEN = OpenWork(project="app", number=7, branch="ops/r0/t0", name="github:acme/app#7", prints=("fp-a", "fp-b"))


def test_a_finding_that_is_covered_goes_on_with_the_newest_pull_request() -> None:
    older = OPEN.model_copy(update={"number": 3, "branch": "ops/r0/old", "name": "github:acme/app#3"})
    (found,) = going_on([want("a")], [OPEN, older])
    assert (found.change, found.change_branch, found.names) == ("7", "ops/r0/t0", (OPEN.name,))


def test_who_is_not_covered_or_has_one_already_stays_as_it_is() -> None:
    found = (
        want("c"),
        want("a", project="api"),
        want("a", change="9", change_branch="ops/r0/x"),
        want("a", actionable=False),
        make_finding("fp-a", kind=FindingKind.CHANGE),
    )
    assert going_on(found, [OPEN]) == found


def test_all_that_one_pull_request_covers_is_one_task_that_goes_on_with_it() -> None:
    (task,) = plan_of(want("a"), make_finding("fp-b", kind=FindingKind.CI_FAILURE), opened=[OPEN]).tasks
    assert (task.change, task.change_branch) == ("7", "ops/r0/t0")
    assert [name for name, _ in task.prints] == ["fp-a", "fp-b"]
