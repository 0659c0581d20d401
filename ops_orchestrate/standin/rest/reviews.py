"""Reviews and comments at places of the diff."""

from __future__ import annotations

from ops_orchestrate.standin.call import Call, paged, route
from ops_orchestrate.standin.exchange import Refused, Reply, not_found
from ops_orchestrate.standin.people import User
from ops_orchestrate.standin.pull import Pull, Review, Thread, ThreadComment
from ops_orchestrate.standin.rest import shape, shape_pull
from ops_orchestrate.standin.world import World

_PULL = "/repos/{owner}/{repo}/pulls/{number}"
_EVENTS = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


@route("GET", f"{_PULL}/reviews")
def list_reviews(call: Call) -> Reply:
    """Oldest first."""
    pull = call.pull()
    page, headers = paged(call, pull.reviews)
    return Reply(200, [shape_pull.review(call.links, call.world, pull, one) for one in page], headers)


@route("POST", f"{_PULL}/reviews", creates=True)
def create_review(call: Call) -> Reply:
    """Review it. Nobody approves or objects to their own."""
    pull, body = call.pull(), call.json()
    event = str(body.get("event", "COMMENT"))
    if event not in _EVENTS:
        raise Refused(422, "Unprocessable Entity", errors=["Variable $event was provided invalid value"])
    if pull.author is call.user and event != "COMMENT":
        word = "approve" if event == "APPROVE" else "request changes on"
        raise Refused(422, "Unprocessable Entity", errors=[f"Can not {word} your own pull request"])
    commit = str(body.get("commit_id") or pull.head_sha)
    one = add_review(call.world, pull, call.user, state=_EVENTS[event], body=str(body.get("body") or ""), commit=commit)
    return Reply(200, shape_pull.review(call.links, call.world, pull, one))


def add_review(world: World, pull: Pull, by: User, *, state: str, body: str, commit: str) -> Review:
    """A review of a commit."""
    number, node = world.ids("PRR")
    one = world.keep(Review(number, node, by, state, body, commit, world.now()))
    pull.reviews.append(one)
    pull.reviewers = [user for user in pull.reviewers if user is not by]
    pull.updated_at = world.now()
    world.effect("review", pull.repository, by, number=pull.number, state=state, commit=commit)
    return one


def add_thread(world: World, pull: Pull, by: User, *, path: str, line: int | None, body: str) -> Thread:
    """A new thread with its first comment, in a review of its own."""
    number, node = world.ids("PRRT")
    thread = world.keep(Thread(number, node, pull, path, line))
    pull.threads.append(thread)
    review = add_review(world, pull, by, state="COMMENTED", body="", commit=pull.head_sha)
    add_reply(world, thread, by, body, review)
    return thread


def add_reply(world: World, thread: Thread, by: User, body: str, review: Review | None = None) -> ThreadComment:
    """One more comment in a thread."""
    number, node = world.ids("PRRC")
    first = thread.comments[0] if thread.comments else None
    one = ThreadComment(number, node, by, body, world.now(), thread.pull.head_sha, review, first, thread)
    thread.comments.append(world.keep(one))
    thread.pull.updated_at = world.now()
    facts = {"number": thread.pull.number, "thread": thread.node_id, "body": body}
    world.effect("comment", thread.pull.repository, by, **facts)
    return one


@route("GET", f"{_PULL}/comments")
def list_comments(call: Call) -> Reply:
    """Every comment at the diff."""
    comments = sorted((one for thread in call.pull().threads for one in thread.comments), key=lambda one: one.id)
    page, headers = paged(call, comments)
    return Reply(200, [shape_pull.review_comment(call.links, call.world, one) for one in page], headers)


@route("POST", f"{_PULL}/comments/{{id}}/replies", creates=True)
def reply(call: Call) -> Reply:
    """Answer in a thread."""
    for thread in call.pull().threads:
        if any(one.id == call.number("id") for one in thread.comments):
            one = add_reply(call.world, thread, call.user, str(call.json().get("body", "")))
            return Reply(201, shape_pull.review_comment(call.links, call.world, one))
    raise not_found()


@route("PUT", f"{_PULL}/reviews/{{id}}/dismissals", needs="write")
def dismiss(call: Call) -> Reply:
    """Take a vote back."""
    pull = call.pull()
    for one in pull.reviews:
        if one.id == call.number("id") and one.state in {"APPROVED", "CHANGES_REQUESTED"}:
            one.state = "DISMISSED"
            call.world.effect("review", call.repo, call.user, number=pull.number, state="DISMISSED", commit=one.commit)
            return Reply(200, shape_pull.review(call.links, call.world, pull, one))
    raise not_found()


@route("GET", f"{_PULL}/requested_reviewers")
def requested(call: Call) -> Reply:
    """Whose review is still asked for."""
    return Reply(200, {"users": [shape.user(call.links, one) for one in call.pull().reviewers], "teams": []})


@route("POST", f"{_PULL}/requested_reviewers", needs="triage")
def request_review(call: Call) -> Reply:
    """Ask somebody, or ask again. The author cannot be asked."""
    pull, logins = call.pull(), [str(login) for login in call.json().get("reviewers", [])]
    if pull.author.login in logins:
        raise Refused(422, "Review cannot be requested from pull request author.")
    for login in logins:
        if login.lower() not in call.repo.members:
            raise Refused(422, f"Reviews may only be requested from collaborators. {login} is not one.")
    asked = [call.world.user(login) for login in logins]
    pull.reviewers += [user for user in asked if user not in pull.reviewers]
    call.world.effect("review-requested", call.repo, call.user, number=pull.number, reviewers=logins)
    return Reply(201, shape_pull.pull_simple(call.links, call.world, pull))
