"""From GitHub's pull request to ours: words become enums, texts are cleaned, and what is missing is said."""

from __future__ import annotations

from collections.abc import Sequence

from ops_orchestrate.adapters.github import words
from ops_orchestrate.adapters.github.checks import rollup_checks
from ops_orchestrate.adapters.github.wire import Actor, CommentNode, Connection, ThreadNode
from ops_orchestrate.adapters.github.wire_pull import CommitNode, PullNode, ReviewNode, ReviewRequest
from ops_orchestrate.core.merge.pull import Pull, PullState, Review, Thread, ThreadComment, is_ours
from ops_orchestrate.core.names import clean_text, one_line

TRUSTED = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
NO_COMMIT = "0" * 40


def pull_of(node: PullNode, viewer: str, now: float) -> Pull:
    """One page's worth of a pull request. `viewer` is our own login, `now` seconds since 1970."""
    commit = node.head_ref.target if node.head_ref else None
    page = rollup_checks(commit, viewer) if commit else None
    problem = _problem(node, page.problem if page else "")
    author = name_of(node.author)
    return Pull(
        number=node.number,
        url=one_line(node.url, 500),
        state=words.pull_state_of(node.state),
        draft=node.is_draft,
        title=one_line(node.title, 300),
        body=node.body,
        head=node.head_ref_oid,
        head_ref=one_line(node.head_ref_name, 300),
        base_ref=one_line(node.base_ref_name, 300),
        cross_repository=node.is_cross_repository,
        author=author,
        ours=is_ours(author, node.head_ref_name, viewer=viewer, foreign=node.is_cross_repository),
        created_at=words.time_of(node.created_at),
        head_at=_head_at(node, commit, now),
        mergeable=words.mergeable_of(node.mergeable),
        merge_state=words.merge_state_of(node.merge_state_status),
        review_decision=words.decision_of(node.review_decision),
        labels=tuple(one_line(label.name, 100) for label in (node.labels.items if node.labels else [])),
        in_merge_queue=node.is_in_merge_queue,
        auto_merge=_auto_merge(node),
        merge_commit=node.merge_commit.oid if node.merge_commit else "",
        checks=page.checks if page else (),
        checks_of=commit.oid if commit else "",
        reviews=tuple(review_of(one) for one in (node.reviews.items if node.reviews else [])),
        review_requests=_requests(node.review_requests),
        threads=tuple(thread_of(one) for one in (node.review_threads.items if node.review_threads else [])),
        complete=not problem,
        problem=problem,
    )


def review_of(node: ReviewNode) -> Review:
    """One review."""
    return Review(
        author=name_of(node.author),
        state=words.review_state_of(node.state),
        commit=node.commit.oid if node.commit else "",
        at=words.time_of(node.submitted_at),
        trusted=node.author_can_push_to_repository,
        body=clean_text(node.body, 5_000),
    )


def thread_of(node: ThreadNode) -> Thread:
    """One review thread."""
    comments: Sequence[CommentNode] = node.comments.items if node.comments else []
    return Thread(
        id=node.id,
        resolved=node.is_resolved,
        path=one_line(node.path, 500),
        line=node.line,
        comments=tuple(
            ThreadComment(
                author=name_of(one.author),
                body=clean_text(one.body, 5_000),
                at=words.time_of(one.created_at),
                ours=one.viewer_did_author,
                trusted=one.author_association in TRUSTED,
            )
            for one in comments
        ),
    )


def name_of(actor: Actor | None) -> str:
    """A login; GitHub has none for a deleted account."""
    return actor.name if actor else "ghost"


def _auto_merge(node: PullNode) -> str:
    if node.auto_merge_request is None:
        return ""
    return name_of(node.auto_merge_request.enabled_by)


def _head_at(node: PullNode, commit: CommitNode | None, now: float) -> float:
    """GitHub names no time of a push. It makes check suites at that moment; without one, the commit's own date helps.

    That date is whatever its author wrote: it counts between the pull request's creation and now only.
    """
    if commit is None:
        return 0.0
    suites = commit.check_suites.items if commit.check_suites else []
    made = [at for suite in suites if (at := words.time_of(suite.created_at))]
    if made:
        return min(made)
    return max(words.time_of(node.created_at), min(words.time_of(commit.committed_date), now))


def _requests(requests: Connection[ReviewRequest] | None) -> tuple[str, ...]:
    found = [one.requested_reviewer for one in requests.items if one.requested_reviewer] if requests else []
    return tuple(one_line(one.login or one.combined_slug, 100) for one in found)


def _problem(node: PullNode, problem: str) -> str:
    """Why nothing may be concluded from it; lists that have pages are judged by whoever reads them."""
    if node.head_ref_oid == NO_COMMIT:
        return "GitHub names no head of it"
    if words.pull_state_of(node.state) is PullState.UNKNOWN:
        return "GitHub names a state of it that is not known here"
    cut = next(
        (
            name
            for name, page in (("labels", node.labels), ("review requests", node.review_requests))
            if page is not None and not page.whole
        ),
        "",
    )
    if cut:
        return f"not all of its {cut} were read"
    threads = node.review_threads.items if node.review_threads else []
    if any(one.comments is not None and not one.comments.whole for one in threads):
        return "not all comments of its threads were read"
    return problem
