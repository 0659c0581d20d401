"""What is done about a change that the forge does not let through: look into it, run again, mend, answer."""

from __future__ import annotations

from ops_orchestrate.core.attempt import Outcome, OutcomeKind
from ops_orchestrate.core.change import LandingEnd
from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.merge.failure import classify
from ops_orchestrate.core.merge.pull import Check, Mergeable, Thread
from ops_orchestrate.core.merge.pursuit import Pursuit
from ops_orchestrate.core.merge.relevant import failure_tail
from ops_orchestrate.core.merge.words import review_words, said_until, thread_answer
from ops_orchestrate.engine.landing.case import Case, end, snooze, wait_for_person
from ops_orchestrate.engine.landing.look import Look
from ops_orchestrate.engine.step import Next
from ops_orchestrate.ports import PullRequests


def look_into(case: Case, pulls: PullRequests, look: Look) -> Pursuit:
    """Read the jobs behind red checks and say what kind of failure each is."""
    kinds = dict(look.pursuit.failures)
    for check in _named(look):
        jobs = pulls.failed_jobs(case.repository, check)
        kinds[check.id] = classify(jobs, check)
        data = {"what": "check", "check": check.name, "class": str(kinds[check.id]), "url": check.url}
        case.note(EventKind.EVIDENCE, data)
    return look.pursuit.model_copy(update={"failures": kinds})


def rerun(case: Case, pulls: PullRequests, look: Look) -> Next:
    """Run failed jobs once more. Counted before it is asked for: an answer that is lost is not asked for again."""
    checks = _named(look)
    runs = tuple(check.run for check in checks if check.run is not None)
    counted = look.pursuit.model_copy(update={"reruns": (*look.pursuit.reruns, *runs), "failures": {}})
    if not case.tools.ledger.attempts.pursue(case.key, holder=case.holder, pursuit=counted):
        return Next.DROP
    for check in checks:
        landing = pulls.rerun(case.repository, check)
        data = {"what": "rerun", "check": check.name, "text": landing.detail or str(landing.end)}
        case.note(EventKind.EVIDENCE, data)
    return snooze(case, look.decision.reason, case.tools.settings.ci_poll)


def fix(case: Case, pulls: PullRequests, look: Look) -> Next:
    """Work for another attempt, which goes on from this head with what the forge said in its brief."""
    pull = look.seen.pull
    jobs = [job for check in _named(look) for job in pulls.failed_jobs(case.repository, check)]
    threads = [one for one in pull.threads if one.id in look.decision.threads and _has_a_say(one)]
    conflict = pull.mergeable is Mergeable.CONFLICTING and look.seen.base
    where = f"The base is at {look.seen.base}: `git merge {look.seen.base}` shows the conflicts." if conflict else ""
    said = "\n\n".join(part for part in (where, failure_tail(jobs), review_words(pull, threads)) if part)
    counted = look.pursuit.sent_back(said_at=said_until(pull, threads), threads=tuple(thread.id for thread in threads))
    if not case.tools.ledger.attempts.pursue(case.key, holder=case.holder, pursuit=counted):
        return Next.DROP
    outcome = Outcome(
        kind=OutcomeKind.SENT_BACK,
        summary=look.decision.reason,
        log_tail=case.tools.secrets.redact(said),
        head=case.record.head,
    )
    return end(case, outcome)


def answer_threads(case: Case, pulls: PullRequests, look: Look) -> Pursuit | Next:
    """Answer the threads that an attempt was given, and resolve those and no others."""
    summary = case.tools.ledger.attempts.verified(case.key).summary
    pursuit = look.pursuit
    given = [thread for thread in look.decision.threads if thread in pursuit.given_threads]
    if not given:
        return wait_for_person(case, f"{len(look.decision.threads)} review threads are open that no attempt was given")
    for thread in given:
        text = case.tools.secrets.redact(thread_answer(case.record.head, summary))
        landing = pulls.answer(case.repository, thread, text)
        if landing.end is not LandingEnd.LANDED:
            return snooze(case, landing.detail or "a thread could not be answered", case.tools.settings.ci_poll)
        pursuit = pursuit.model_copy(update={"closed_threads": (*pursuit.closed_threads, thread)})
        case.note(EventKind.EVIDENCE, {"what": "thread answered", "text": landing.detail or "answered and resolved"})
    return pursuit


def _has_a_say(thread: Thread) -> bool:
    """Whether anything in it was said by somebody who may write to the repository."""
    return any(one.trusted for one in thread.comments)


def _named(look: Look) -> tuple[Check, ...]:
    return tuple(check for check in look.seen.pull.checks if check.id in look.decision.checks)
