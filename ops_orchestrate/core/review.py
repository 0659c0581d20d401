"""The security review: who is asked about a sensitive change, what their answer is worth, and what follows from it.

A reviewer is an agent that has read a hostile change: its word is a signal and lifts nothing by itself. What cannot be
read, was cut, came too late or never came is *no review*, never a clean one. A review is of one head: another one
needs its own.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ops_orchestrate.core.attempt import Outcome, OutcomeKind
from ops_orchestrate.core.consult import Answered, read_answer
from ops_orchestrate.core.names import clean_text, one_line
from ops_orchestrate.core.refusal import Consequence, Refusal
from ops_orchestrate.core.value import Value

GUARD = "sensitive-paths"
"""The guard that asks for a review."""
RULE = "security-review"
"""The name under which a reviewer's no stands in events."""

Policy = Literal["person", "reviewer", "both"]
#: Agents that only read when they are asked: `claude` has reading tools alone then, `scripted` plays the owner's steps.
#: Any other may run code of the change, and that code could write its answer; its yes stands for nobody's.
READERS = frozenset({"claude", "scripted"})
#: More findings than these are no answer; of those that are shown, so many.
MOST_FINDINGS, SHOWN_FINDINGS = 100, 20
_GRAVE = frozenset({"critical", "high"})


class ReviewVerdict(StrEnum):
    """What came of asking."""

    APPROVE = "approve"
    REJECT = "reject"
    UNSURE = "unsure"
    NONE = "none"  #: there is no review: `why` says what happened instead


class ReviewFinding(Value):
    """What a reviewer holds against a change. Its words: cleaned, cut, and never trusted."""

    path: str
    line: int
    severity: str
    reason: str


class Review(Value):
    """What is known of one review of one head."""

    verdict: ReviewVerdict
    head: str
    base: str
    """The base's head when it was made."""
    merge_base: str
    """With `head` it names the difference that was shown."""
    patch: str = ""
    """Digest of the patch that was shown."""
    why: str = ""
    """With NONE: what happened instead."""
    summary: str = ""
    findings: tuple[ReviewFinding, ...] = ()
    answer: str = ""
    """Digest of the answer as it came."""
    agent: str = ""
    model: str = ""
    version: str = ""
    seconds: float = 0.0
    cost_usd: float | None = None
    tokens: int | None = None
    unsandboxed: bool = False
    resets_at: float | None = None
    """With NONE for want of quota: when there is more, in seconds since 1970; 0 where nobody said."""

    def holds_for(self, head: str, merge_base: str) -> bool:
        """Whether it is of this very difference."""
        return bool(head) and (self.head, self.merge_base) == (head, merge_base)

    @property
    def sentence(self) -> str:
        """For people: what was said, and by whom."""
        who = " ".join(part for part in (self.agent, self.model and f"({self.model})") if part)
        if self.verdict is ReviewVerdict.NONE:
            return f"There is no security review: {self.why.rstrip('. ')}"
        found = f", {len(self.findings)} findings" if self.findings else ""
        words = f": {one_line(self.summary, 300)}" if self.summary else ""
        return f"The security reviewer {who} says {self.verdict}{found}{words}"


class _Finding(BaseModel):
    """One finding as it is written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    path: str
    line: int = Field(ge=0, le=10_000_000)
    severity: Literal["critical", "high", "medium", "low"]
    reason: str


class _Written(Answered):
    """The shape of a reviewer's answer."""

    verdict: Literal["approve", "reject", "unsure"]
    summary: str = ""
    findings: list[_Finding] = Field(default_factory=list, max_length=MOST_FINDINGS)


def read_review(text: str, mark: str) -> tuple[ReviewVerdict, str, tuple[ReviewFinding, ...]]:
    """(verdict, its words, its findings). Raises NoAnswerError.

    An answer that contradicts itself is unsure: a no without a reason, a yes beside something grave.
    """
    written = read_answer(text, _Written, mark)
    findings = tuple(
        ReviewFinding(
            path=one_line(one.path, 300), line=one.line, severity=one.severity, reason=clean_text(one.reason, 600)
        )
        for one in written.findings
    )
    grave = any(one.severity in _GRAVE for one in findings)
    verdict = ReviewVerdict(written.verdict)
    if (verdict is ReviewVerdict.REJECT and not findings) or (verdict is ReviewVerdict.APPROVE and grave):
        verdict = ReviewVerdict.UNSURE
    return verdict, clean_text(written.summary, 600), findings


def review_due(
    outcome: Outcome, refusals: Collection[Refusal], review: Review | None, *, policy: Policy, approved: bool
) -> bool:
    """Whether a reviewer has to look before anything is concluded.

    Only at what would else go on, or wait for a person: a change that is sent back anyway costs no review. `approved`:
    a person has said yes to this very head, which no reviewer's word can outweigh.
    """
    if policy == "person" or review is not None or approved or not _asks(refusals):
        return False
    asked = outcome.kind is OutcomeKind.WAITING and outcome.ask == "approve-change"
    return asked or outcome.kind is OutcomeKind.VERIFIED


def lifted(review: Review | None, policy: Policy) -> frozenset[str]:
    """The guards that the review answers for, so that no person is asked because of them."""
    approves = review is not None and review.verdict is ReviewVerdict.APPROVE and review.agent in READERS
    return frozenset({GUARD}) if policy == "reviewer" and approves else frozenset()


def objection(
    review: Review | None, refusals: Collection[Refusal], *, policy: Policy, rounds: int, most_rounds: int
) -> Outcome | None:
    """What follows from a reviewer's no; None where there is none. `rounds`: so often it sent the task back before."""
    if policy == "person" or review is None or review.verdict is not ReviewVerdict.REJECT or not _asks(refusals):
        return None
    where = tuple(dict.fromkeys(one.path for one in review.findings if one.path))
    words = findings_text(review)
    if rounds >= most_rounds:
        said = f"{review.sentence}. It has been sent back {rounds} times: a person decides"
        return Outcome(
            kind=OutcomeKind.WAITING, summary=said, log_tail=words, rule=RULE, files=where, ask="approve-change"
        )
    return Outcome(kind=OutcomeKind.SENT_BACK, summary=review.sentence, log_tail=words, rule=RULE, files=where)


def findings_text(review: Review) -> str:
    """One line a finding, the gravest first, for the next brief and for people."""
    order = ("critical", "high", "medium", "low")
    ranked = sorted(review.findings, key=lambda one: order.index(one.severity))
    # The cross is what marks a line of a log as one that tells what failed.
    lines = [f"✗ {one.severity} {one.path}:{one.line} {one_line(one.reason, 400)}" for one in ranked[:SHOWN_FINDINGS]]
    rest = len(ranked) - SHOWN_FINDINGS
    return "\n".join([*lines, *([f"… and {rest} more"] if rest > 0 else [])])


def no_review(why: str, *, head: str, base: str, merge_base: str) -> Review:
    """There is none, and a person is asked as ever."""
    return Review(verdict=ReviewVerdict.NONE, why=one_line(why, 400), head=head, base=base, merge_base=merge_base)


def _asks(refusals: Collection[Refusal]) -> bool:
    return any(one.rule == GUARD and one.consequence is Consequence.ASK for one in refusals)
