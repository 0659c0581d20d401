"""Right before an agent starts: is what was found still there? By its names at the forge, a question or two.

Only where every name says that it is gone there is nothing left to do; what nobody can be asked about is not gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from ops_orchestrate.core.merge.pull import Conclusion
from ops_orchestrate.core.merge.regression import Standing, WorkflowRun, red_workflows

#: So many names of one defect are asked about; with more of them it is simply worked on.
MOST_NAMES = 2

_ISSUE = re.compile(r"github:(?P<slug>[^#\s]+)#(?P<number>[1-9][0-9]{0,8})")


class Still(StrEnum):
    """Whether a finding is still there."""

    OPEN = "open"
    RUNNING = "running"  #: a workflow run that will tell is under way
    GONE = "gone"
    UNKNOWN = "unknown"


class Rechecked(NamedTuple):
    """What came of asking, and why in one sentence."""

    still: Still
    why: str


class WorkflowName(NamedTuple):
    """A red workflow as findings name it: `ci:owner/name:build.yml:push:main`."""

    slug: str
    workflow: str
    event: str
    branch: str


class IssueName(NamedTuple):
    """An issue as findings name it: `github:owner/name#7`."""

    slug: str
    number: int


def read_name(name: str) -> WorkflowName | IssueName | None:
    """What a name is about; None for one of another source. A workflow's own name may hold colons."""
    issue = _ISSUE.fullmatch(name)
    if issue:
        return IssueName(issue["slug"], int(issue["number"]))
    first, *rest = name.split(":", 2)
    if first != "ci" or len(rest) != 2 or rest[1].count(":") < 2:
        return None
    return WorkflowName(rest[0], *rest[1].rsplit(":", 2))


def still_red(runs: Sequence[WorkflowRun], name: WorkflowName) -> Rechecked:
    """By the recent runs of a repository: the same rule that called the workflow red."""
    own = [one for one in runs if (one.name, one.event, one.branch) == (name.workflow, name.event, name.branch)]
    red = red_workflows(own, {name.branch})
    what = f"{name.workflow} on {name.branch} ({name.event})"
    if not red:
        return Rechecked(Still.UNKNOWN, f"{what} has no recent run")
    if any(one.conclusion is Conclusion.PENDING and one.id > red[0].latest.id for one in own):
        return Rechecked(Still.RUNNING, f"{what} is running")
    if red[0].standing is Standing.SKIP and red[0].latest.conclusion is Conclusion.SUCCESS:
        return Rechecked(Still.GONE, f"{what} passes")
    return Rechecked(Still.OPEN, f"{what}: {red[0].reason}")


def together(found: Iterable[Rechecked]) -> Rechecked:
    """One word for all names of a defect: the first that stands against "gone"."""
    known = list(found)
    for still in (Still.OPEN, Still.UNKNOWN, Still.RUNNING):
        for one in known:
            if one.still is still:
                return one
    return Rechecked(Still.GONE, "; ".join(one.why for one in known)) if known else Rechecked(Still.UNKNOWN, "no name")
