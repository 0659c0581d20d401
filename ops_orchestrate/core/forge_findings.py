"""From what a forge shows of a repository to findings: red workflows, issues, our pull requests, others' left alone.

A repository that we may not write to is only reported. An issue that somebody works on already is left to them.
"""

from __future__ import annotations

from collections.abc import Iterable

from ops_orchestrate.core.finding import Finding, FindingKind
from ops_orchestrate.core.forge_look import ForgeLook, IssueSeen, PullRef, PullSeen
from ops_orchestrate.core.issue_text import blockers_in, issue_name, priority_in
from ops_orchestrate.core.mark import Merged, OpenWork
from ops_orchestrate.core.merge.checks import RED
from ops_orchestrate.core.merge.failure import FailureClass
from ops_orchestrate.core.merge.pull import Conclusion, Mergeable, ReviewDecision
from ops_orchestrate.core.merge.regression import RedWorkflow, Standing, red_workflows
from ops_orchestrate.core.names import clean_text, is_branch, one_line
from ops_orchestrate.core.own_change import OWN_BRANCHES
from ops_orchestrate.core.project import Project, Repository
from ops_orchestrate.core.task import Priority
from ops_orchestrate.core.triage import fingerprint

SOURCE = "github"
#: Labels by which people say that there is nothing to do.
_NO_WORK = frozenset({"question", "wontfix", "duplicate", "invalid", "discussion", "not planned"})
_RUN_AGAIN = frozenset({FailureClass.INFRASTRUCTURE, FailureClass.FLAKY})
_NAMED = 10
#: A review is there, or none is asked for.
_AGREED = frozenset({ReviewDecision.APPROVED, ReviewDecision.NONE})


def forge_findings(project: Project, repository: Repository, look: ForgeLook) -> tuple[Finding, ...]:
    """Every finding of the look. The same look gives the same findings."""
    maker = _Maker(project, repository, look)
    found = [
        *(maker.note(text) for text in look.notes),
        *maker.workflows(),
        *(maker.issue(issue) for issue in look.issues),
        *(maker.change(pull) for pull in look.pulls if pull.ours),
        *maker.others(),
    ]
    why = read_only(look)
    if not why:
        return tuple(found)
    note = maker.note(f"{why}: what is found there is reported, and not worked on")
    return (note, *(one.model_copy(update={"actionable": False}) for one in found))


def merged_work(project: Project, look: ForgeLook) -> tuple[Merged, ...]:
    """What pull requests of ours have brought to a branch that matters, whatever became of the commit's message."""
    return tuple(
        Merged(
            project=project.alias,
            run=one.mark.run,
            task=one.mark.task,
            where=f"#{one.number}",
            prints=one.mark.prints,
            share=one.mark.share,
        )
        for one in look.merged
        if one.base_ref in look.branches and one.mark.prints
    )


def open_work(project: Project, repository: Repository, look: ForgeLook) -> tuple[OpenWork, ...]:
    """Open pull requests of ours with what they cover, as far as a task can go on with them."""
    branches = _Maker(project, repository, look).branches_to_go_on()
    return tuple(
        OpenWork(
            project=project.alias,
            number=one.number,
            branch=branches[one.number],
            name=issue_name(look.slug, one.number),
            prints=tuple(print_.fingerprint for print_ in one.mark.prints),
        )
        for one in look.pulls
        if one.mark and one.number in branches
    )


def read_only(look: ForgeLook) -> str:
    """Why nothing may be pushed there; empty where it may."""
    if look.archived:
        return f"{look.slug} is archived"
    return "" if look.writable else f"{look.slug} does not let us push"


def _no_code(kind: FailureClass, attempt: int) -> str:
    """Why a red run is no work for an agent; empty where it may be. What was run again and is red still is."""
    if kind is FailureClass.BILLING:
        return "the account may not run anything; only its owner can mend that"
    if kind is FailureClass.NEVER_STARTED:
        return "no job of it ever started; look at its runner"
    if kind in _RUN_AGAIN and attempt == 1:
        return f"{kind}, no fault of the code: it is run again once"
    return ""


class _Maker:
    """Findings of one repository."""

    def __init__(self, project: Project, repository: Repository, look: ForgeLook) -> None:
        self._alias = project.alias
        self._key = repository.key
        self._look = look

    def note(self, text: str) -> Finding:
        return self._finding(FindingKind.NOTICE, text, title=text)

    def workflows(self) -> Iterable[Finding]:
        for red in red_workflows(self._look.runs, self._look.branches):
            if red.standing is not Standing.SKIP:
                yield self._workflow(red)

    def _workflow(self, red: RedWorkflow) -> Finding:
        run = red.latest
        name, branch, event = one_line(run.name, 80), one_line(run.branch, 80), one_line(run.event, 40)
        told = self._look.failures.get(run.id)
        elsewhere = _no_code(told.kind, run.attempt) if told else ""
        if told and elsewhere:
            again = run.id if told.kind in _RUN_AGAIN else 0
            text = f"{name} is red on {branch} ({event}): {elsewhere} ({run.url})"
            return self.note(text).model_copy(update={"rerun": again, "cause": run.head})
        return self._finding(
            FindingKind.CI_FAILURE,
            *(str(run.workflow), event, branch),
            title=f"fix: {name} fails on {branch} ({event})",
            detail=f"{red.reason}. Its latest run ended with {run.conclusion}: {run.url}\nCommit: {run.head}"
            + (f"\n\n{told.words}" if told else ""),
            actionable=True,
            priority=Priority.P1 if red.standing is Standing.PERSISTENT else Priority.P2,
            acceptance=(f"The workflow {name} passes on {branch} ({event}).",),
            names=(f"ci:{self._look.slug.lower()}:{name}:{event}:{branch}",),
            cause=run.head,
        )

    def issue(self, issue: IssueSeen) -> Finding:
        slug, name = self._look.slug, issue_name(self._look.slug, issue.number)
        title = one_line(issue.title) or f"Issue {issue.number}"
        ours, theirs = _whose(issue.pulls)
        labelled = next((label for label in issue.labels if label.strip().lower() in _NO_WORK), "")
        left = f"left to {theirs.author}'s pull request {theirs.slug}#{theirs.number}" if theirs and not ours else ""
        left = left or (f"labelled {labelled}" if labelled else "")
        blockers = (*blockers_in(issue.body, slug, host=self._look.host), *issue.sub_issues)
        branch = self._branch_of(ours.number) if ours else ""
        return self._finding(
            FindingKind.ISSUE,
            str(issue.number),
            title=one_line(f"{title} (#{issue.number}: {left})", 300) if left else title,
            detail=clean_text(f"Issue {slug}#{issue.number} by {issue.author}: {issue.url}\n\n{issue.body}", 12_000),
            actionable=not left,
            priority=priority_in(issue.labels),
            acceptance=(f"What issue {slug}#{issue.number} asks for is done.",),
            blocked_by=tuple(dict.fromkeys(blocker for blocker in blockers if blocker != name)),
            names=(name,),
            hold=""
            if issue.trusted
            else f"the issue's author {issue.author} is not a member or collaborator of {slug}",
            change=str(ours.number) if ours and branch else "",
            change_branch=branch,
            closes=(f"{slug}#{issue.number}",),
        )

    def change(self, pull: PullSeen) -> Finding:
        needs = () if self._not_a_tasks(pull) else _needs(pull)
        return self._finding(
            FindingKind.CHANGE,
            str(pull.number),
            title=one_line(f"{pull.title} (#{pull.number}: {', '.join(needs) or 'waits for nobody here'})", 300),
            detail=clean_text("\n".join((pull.url, *(f"unresolved: {place}" for place in pull.unresolved))), 4_000),
            actionable=bool(needs),
            acceptance=tuple(f"Pull request #{pull.number}: no longer true: {need}." for need in needs),
            names=(issue_name(self._look.slug, pull.number), *pull.closes),
            change=str(pull.number),
            change_branch=self._branch_of(pull.number),
            closes=tuple(name.removeprefix("github:") for name in pull.closes),
            cause=pull.head,
        )

    def _not_a_tasks(self, pull: PullSeen) -> bool:
        """The run that opened a promotion, back-merge or revert goes on with it; what is for another branch is for a
        person."""
        elsewhere = bool(self._look.branches) and pull.base_ref != self._look.branches[0]
        return pull.head_ref.startswith(OWN_BRANCHES) or elsewhere

    def _branch_of(self, number: int) -> str:
        """The branch that a change of a task is open for; empty where nobody can go on with it."""
        found = next((one for one in self._look.pulls if one.ours and one.number == number), None)
        if found is None or self._not_a_tasks(found) or not is_branch(found.head_ref):
            return ""
        return found.head_ref

    def branches_to_go_on(self) -> dict[int, str]:
        """The branch of each pull request that a task can go on with, by its number."""
        return {one.number: branch for one in self._look.pulls if (branch := self._branch_of(one.number))}

    def others(self) -> Iterable[Finding]:
        theirs = [pull for pull in self._look.pulls if not pull.ours]
        if theirs:
            shown = ", ".join(f"#{pull.number} ({pull.author})" for pull in theirs[:_NAMED])
            more = f" and {len(theirs) - _NAMED} more" if len(theirs) > _NAMED else ""
            what = "pull request of somebody else is" if len(theirs) == 1 else "pull requests of others are"
            yield self.note(f"{len(theirs)} open {what} left alone in {self._look.slug}: {shown}{more}")

    def _finding(self, kind: FindingKind, *parts: str, title: str, **more: object) -> Finding:
        values = {
            "kind": kind,
            "project": self._alias,
            "repo": self._key,
            "fingerprint": fingerprint(kind, self._alias, self._key, *parts),
            "title": one_line(title, 300),
            "source": SOURCE,
        }
        return Finding.model_validate(values | more)


def _whose(pulls: Iterable[PullRef]) -> tuple[PullRef | None, PullRef | None]:
    ours = next((pull for pull in pulls if pull.ours), None)
    return ours, next((pull for pull in pulls if not pull.ours), None)


def _needs(pull: PullSeen) -> tuple[str, ...]:
    """What one of our pull requests is still to get from us: something mended, or its merge."""
    threads = len(pull.unresolved)
    table = (
        (pull.mergeable is Mergeable.CONFLICTING, "it conflicts with its base"),
        (pull.checks in RED, "its checks fail"),
        (pull.decision is ReviewDecision.CHANGES_REQUESTED, "changes are requested"),
        (threads > 0, f"{threads} review thread{'s are' if threads != 1 else ' is'} not resolved"),
    )
    found = tuple(need for here, need in table if here)
    ready = pull.mergeable is Mergeable.MERGEABLE and pull.checks is Conclusion.SUCCESS and not pull.draft
    return found or (("it is ready and not merged",) if ready and pull.decision in _AGREED else ())
