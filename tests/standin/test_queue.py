"""What happens without anybody asking again: auto-merge, the merge queue, indirect merges, closing by text."""

from __future__ import annotations

from typing import Any

import pytest

from tests.standin.scene import REPO, Scene

ENQUEUE = """mutation($id:ID!,$oid:GitObjectID){enqueuePullRequest(input:{pullRequestId:$id,expectedHeadOid:$oid}){
  mergeQueueEntry{position state}}}"""
AUTO = """mutation($id:ID!,$oid:GitObjectID){enablePullRequestAutoMerge(input:{pullRequestId:$id,mergeMethod:SQUASH,
  expectedHeadOid:$oid}){pullRequest{autoMergeRequest{mergeMethod enabledBy{login}}}}}"""


def merged(scene: Scene, pull: dict[str, Any]) -> bool:
    """Whether it is merged by now."""
    return bool(scene.ask("GET", f"pulls/{pull['number']}").json()["merged"])


def test_auto_merge_waits_for_what_is_required(scene: Scene) -> None:
    scene.control.protect(REPO, "main", checks=["test"])
    scene.control.ci(REPO, jobs=[{"name": "test", "hold": True}])
    pull = scene.pull()
    answer = scene.graphql(AUTO, id=pull["node_id"], oid=pull["head"]["sha"])
    order = answer["data"]["enablePullRequestAutoMerge"]["pullRequest"]["autoMergeRequest"]
    assert order == {"mergeMethod": "SQUASH", "enabledBy": {"login": "bot"}}
    assert not merged(scene, pull)
    scene.control.release(REPO)
    assert merged(scene, pull)


def test_auto_merge_of_what_is_ready_is_refused(scene: Scene) -> None:
    pull = scene.pull()
    answer = scene.graphql(AUTO, id=pull["node_id"], oid=pull["head"]["sha"])
    assert answer["errors"][0]["message"] == "Pull request Pull request is in clean status"


@pytest.mark.parametrize(("result", "ends"), [("success", True), ("failure", False)])
def test_the_merge_queue_merges_what_its_own_checks_pass(scene: Scene, result: str, ends: bool) -> None:
    scene.control.protect(REPO, "main", merge_queue=True, checks=["test"])
    scene.control.ci(REPO, on=("push",), jobs=["test"])
    scene.control.ci(REPO, on=("merge_group",), jobs=[{"name": "test", "hold": True, "result": result}])
    pull = scene.pull()
    scene.control.push(REPO, "other", {"o.txt": "o\n"}, start="main")
    wrong = scene.graphql(ENQUEUE, id=pull["node_id"], oid="0" * 40)
    assert wrong["errors"][0]["type"] == "UNPROCESSABLE"
    entry = scene.graphql(ENQUEUE, id=pull["node_id"], oid=pull["head"]["sha"])["data"]["enqueuePullRequest"]
    assert entry["mergeQueueEntry"]["position"] == 1
    assert not merged(scene, pull)
    assert scene.control.release(REPO) == 1
    assert merged(scene, pull) is ends
    assert scene.control.pull(REPO, pull["number"]).queued is None
    branches = [one["name"] for one in scene.ask("GET", "branches").json()]
    assert not any(name.startswith("gh-readonly-queue/") for name in branches)


def test_a_pull_request_whose_commits_reach_the_base_otherwise_counts_as_merged(scene: Scene) -> None:
    pull = scene.pull()
    scene.control.push(REPO, "main", start="feature")
    assert merged(scene, pull)


def test_a_merge_into_the_default_branch_closes_what_the_text_says(scene: Scene) -> None:
    issue = scene.control.issue(REPO, "Broken")
    pull = scene.pull()
    scene.control.change_pull(REPO, pull["number"], body=f"Fixes #{issue.number}\n")
    query = (
        '{repository(owner:"acme",name:"app"){pullRequest(number:2){closingIssuesReferences(first:5){nodes{number}}}}}'
    )
    listed = scene.graphql(query)["data"]["repository"]["pullRequest"]["closingIssuesReferences"]["nodes"]
    assert listed == [{"number": issue.number}]
    scene.control.merge(REPO, pull["number"])
    assert scene.ask("GET", f"issues/{issue.number}").json()["state"] == "closed"


def test_into_another_branch_that_text_links_and_closes_nothing(scene: Scene) -> None:
    issue = scene.control.issue(REPO, "Broken")
    scene.control.push(REPO, "dev", None, start="main")
    pull = scene.pull(base="dev")
    scene.control.change_pull(REPO, pull["number"], body=f"Fixes #{issue.number}\n")
    query = """{repository(owner:"acme",name:"app"){
        pullRequest(number:2){closingIssuesReferences(first:5){nodes{number}}}
        issue(number:1){closedByPullRequestsReferences(first:5){nodes{number}}}}}"""
    found = scene.graphql(query)["data"]["repository"]
    assert found["pullRequest"]["closingIssuesReferences"]["nodes"] == []
    assert found["issue"]["closedByPullRequestsReferences"]["nodes"] == []
    scene.control.merge(REPO, pull["number"])
    assert scene.ask("GET", f"issues/{issue.number}").json()["state"] == "open"


def test_a_commit_closes_what_its_message_says_once_the_default_branch_has_it(scene: Scene) -> None:
    issue = scene.control.issue(REPO, "Broken")
    scene.control.push(REPO, "dev", {"x.txt": "x\n"}, start="main", message=f"Mend\n\nCloses {REPO}#{issue.number}\n")
    assert scene.ask("GET", f"issues/{issue.number}").json()["state"] == "open"
    scene.control.push(REPO, "main", None, start="dev")
    assert scene.ask("GET", f"issues/{issue.number}").json()["state"] == "closed"


def test_threads_are_answered_and_resolved(scene: Scene) -> None:
    pull = scene.pull()
    thread = scene.control.thread(REPO, pull["number"], "rita", "Why?")
    scene.graphql(
        'mutation($id:ID!){addPullRequestReviewThreadReply(input:{pullRequestReviewThreadId:$id,body:"Because"})'
        "{comment{body}}}",
        id=thread.node_id,
    )
    resolve = "mutation($id:ID!){resolveReviewThread(input:{threadId:$id}){thread{isResolved resolvedBy{login}}}}"
    forbidden = scene.graphql(resolve, "reader", id=thread.node_id)
    assert forbidden["errors"][0]["type"] == "FORBIDDEN"
    done = scene.graphql(resolve, id=thread.node_id)["data"]["resolveReviewThread"]["thread"]
    assert done == {"isResolved": True, "resolvedBy": {"login": "bot"}}
    bodies = [one["body"] for one in scene.ask("GET", f"pulls/{pull['number']}/comments").json()]
    assert bodies == ["Why?", "Because"]
    assert [one.who for one in scene.control.journal.effects("thread-resolved")] == ["bot"]


def test_update_and_close_by_graphql(scene: Scene) -> None:
    pull = scene.pull()
    scene.control.push(REPO, "main", {"x.txt": "x\n"})
    update = "mutation($id:ID!){updatePullRequestBranch(input:{pullRequestId:$id}){pullRequest{headRefOid}}}"
    new = scene.graphql(update, id=pull["node_id"])["data"]["updatePullRequestBranch"]["pullRequest"]["headRefOid"]
    assert new != pull["head"]["sha"]
    close = "mutation($id:ID!){closePullRequest(input:{pullRequestId:$id}){pullRequest{state}}}"
    assert scene.graphql(close, id=pull["node_id"])["data"]["closePullRequest"]["pullRequest"]["state"] == "CLOSED"
