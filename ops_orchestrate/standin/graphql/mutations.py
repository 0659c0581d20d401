"""What may be changed by GraphQL: threads, the merge queue, auto-merge, branches, closing."""

from __future__ import annotations

from typing import Any

from ops_orchestrate.standin.call import Call
from ops_orchestrate.standin.graphql.fields import field, must_write, problem
from ops_orchestrate.standin.merging import Order
from ops_orchestrate.standin.pull import Pull, QueueEntry, Thread
from ops_orchestrate.standin.rest.reviews import add_reply


def _pull(call: Call, given: dict[str, Any], name: str = "pullRequestId") -> Pull:
    found = call.world.nodes.get(given[name])
    if not isinstance(found, Pull):
        raise problem("NOT_FOUND", f"Could not resolve to a node with the global id of '{given[name]}'.")
    must_write(call, found.repository)
    return found


def _thread(call: Call, id: str) -> Thread:
    found = call.world.nodes.get(id)
    if not isinstance(found, Thread):
        raise problem("NOT_FOUND", f"Could not resolve to a node with the global id of '{id}'.")
    must_write(call, found.pull.repository)
    return found


def _order(given: dict[str, Any]) -> Order:
    method = (given.get("mergeMethod") or "MERGE").lower()
    return Order(method, given.get("expectedHeadOid"), given.get("commitHeadline"), given.get("commitBody"))


def _payload(given: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"clientMutationId": given.get("clientMutationId"), **fields}


@field("Mutation", "resolveReviewThread")
def resolve(_: Any, call: Call, input: dict[str, Any]) -> dict[str, Any]:
    """A thread is dealt with."""
    thread = _thread(call, input["threadId"])
    thread.resolved_by = call.user
    facts = {"number": thread.pull.number, "thread": thread.node_id}
    call.world.effect("thread-resolved", thread.pull.repository, call.user, **facts)
    return _payload(input, thread=thread)


@field("Mutation", "unresolveReviewThread")
def unresolve(_: Any, call: Call, input: dict[str, Any]) -> dict[str, Any]:
    """It is not, after all."""
    thread = _thread(call, input["threadId"])
    thread.resolved_by = None
    facts = {"number": thread.pull.number, "thread": thread.node_id}
    call.world.effect("thread-unresolved", thread.pull.repository, call.user, **facts)
    return _payload(input, thread=thread)


@field("Mutation", "addPullRequestReviewThreadReply")
def reply(_: Any, call: Call, input: dict[str, Any]) -> dict[str, Any]:
    """Answer in a thread."""
    thread = _thread(call, input["pullRequestReviewThreadId"])
    return _payload(input, comment=add_reply(call.world, thread, call.user, input["body"]))


@field("Mutation", "enqueuePullRequest")
def enqueue(_: Any, call: Call, input: dict[str, Any]) -> dict[str, Any]:
    """Into the merge queue."""
    pull = _pull(call, input)
    entry = call.tide.merging.enqueue(pull, call.user, input.get("expectedHeadOid"), bool(input.get("jump")))
    return _payload(input, mergeQueueEntry=entry)


@field("Mutation", "dequeuePullRequest")
def dequeue(_: Any, call: Call, input: dict[str, Any]) -> dict[str, Any]:
    """Out of the merge queue."""
    pull = _pull(call, input, "id")
    entry: QueueEntry | None = pull.queued
    call.tide.refs.leave_queue(pull)
    call.world.effect("queue-left", pull.repository, call.user, number=pull.number, why="dequeued")
    return _payload(input, mergeQueueEntry=entry)


@field("Mutation", "enablePullRequestAutoMerge")
def auto_merge(_: Any, call: Call, input: dict[str, Any]) -> dict[str, Any]:
    """A standing order to merge."""
    pull = _pull(call, input)
    call.tide.merging.order_auto_merge(pull, call.user, _order(input))
    return _payload(input, pullRequest=pull, actor=call.user)


@field("Mutation", "disablePullRequestAutoMerge")
def no_auto_merge(_: Any, call: Call, input: dict[str, Any]) -> dict[str, Any]:
    """Take the order back."""
    pull = _pull(call, input)
    pull.auto_merge = None
    call.world.effect("auto-merge-off", pull.repository, call.user, number=pull.number)
    return _payload(input, pullRequest=pull, actor=call.user)


@field("Mutation", "updatePullRequestBranch")
def update(_: Any, call: Call, input: dict[str, Any]) -> dict[str, Any]:
    """Merge the base into the head."""
    pull = _pull(call, input)
    call.tide.merging.update(pull, call.user, input.get("expectedHeadOid"))
    return _payload(input, pullRequest=pull)


@field("Mutation", "mergePullRequest")
def merge(_: Any, call: Call, input: dict[str, Any]) -> dict[str, Any]:
    """Merge it now; `gh pr merge` uses this."""
    pull = _pull(call, input)
    call.tide.merging.merge(pull, call.user, _order(input))
    return _payload(input, pullRequest=pull, actor=call.user)


@field("Mutation", "closePullRequest")
def close(_: Any, call: Call, input: dict[str, Any]) -> dict[str, Any]:
    """Close it unmerged."""
    pull = _pull(call, input)
    if not pull.open:
        raise problem("UNPROCESSABLE", "Pull request is already closed")
    call.tide.refs.close(pull, call.user)
    return _payload(input, pullRequest=pull)


@field("Mutation", "markPullRequestReadyForReview")
def ready(_: Any, call: Call, input: dict[str, Any]) -> dict[str, Any]:
    """No draft any more."""
    pull = _pull(call, input)
    pull.draft = False
    call.world.effect("pull-ready", pull.repository, call.user, number=pull.number)
    return _payload(input, pullRequest=pull)
