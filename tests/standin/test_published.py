"""The stand-in's answers have the form that GitHub publishes: every route, every documented reply."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_orchestrate.standin.call import ROUTES
from ops_orchestrate.standin.graphql import schema as standin_schema
from ops_orchestrate.standin.run import Standin
from tests.standin.published import GRAPHQL, MISSING, OPENAPI, Watcher, template_of
from tests.standin.scene import REPO, Scene

needs_openapi = pytest.mark.skipif(not OPENAPI.exists(), reason=MISSING)
needs_graphql = pytest.mark.skipif(not GRAPHQL.exists(), reason=MISSING)

READS = [
    "/user",
    "/users/bot",
    "/user/repos",
    "/rate_limit",
    "/meta",
    "/search/issues?q=repo:acme/app+is:open",
    "/repos/acme/app",
    "branches",
    "branches/main",
    "branches/main/protection",
    "rules/branches/main",
    "git/ref/heads/main",
    "git/matching-refs/heads/",
    "commits",
    "commits/main",
    "commits/main/status",
    "commits/main/statuses",
    "commits/main/check-runs",
    "commits/{sha}/pulls",
    "git/commits/{sha}",
    "compare/main...{sha}",
    "pulls",
    "pulls?state=all",
    "pulls/{n}",
    "pulls/{n}/files",
    "pulls/{n}/commits",
    "pulls/{n}/reviews",
    "pulls/{n}/comments",
    "pulls/{n}/merge",
    "pulls/{n}/requested_reviewers",
    "collaborators/rita/permission",
    "pulls/{merged}",
    "pulls/{merged}/merge",
    "issues",
    "issues/{issue}",
    "issues/{n}",
    "issues/{issue}/labels",
    "issues/{issue}/comments",
    "issues/{issue}/sub_issues",
    "issues/{part}/parent",
    "issues/{part}/dependencies/blocked_by",
    "issues/{issue}/dependencies/blocking",
    "labels",
    "actions/runs",
    "actions/runs?event=push",
    "actions/runs/{run}",
    "actions/runs/{run}/attempts/1",
    "actions/runs/{run}/jobs",
    "actions/runs/{run}/attempts/1/jobs",
    "actions/jobs/{job}",
    "actions/jobs/{job}/logs",
    "check-runs/{job}",
    "check-runs/{job}/annotations",
    "actions/workflows",
    "actions/workflows/ci.yml",
    "actions/workflows/ci.yml/runs",
    "commits/{sha}/check-runs",
    "commits/{sha}/status",
    "commits/{sha}/statuses",
]


@needs_openapi
def test_every_read_fits_the_openapi_document(tmp_path: Path) -> None:
    watcher = Watcher()
    with Standin(tmp_path / "github", watch=watcher) as standin:
        scene = Scene(standin)
        names = furnish(scene)
        for path in READS:
            answer = scene.ask("GET", path.format(**names), "owner")
            assert answer.status_code < 400 or path == "pulls/{n}/merge", (path, answer.text)
    assert not watcher.problems, "\n".join(watcher.problems)
    assert watcher.checked >= len(READS) - 5


def furnish(scene: Scene) -> dict[str, object]:
    """One of everything; the names that paths need."""
    control = scene.control
    control.ci(REPO, on=("push", "pull_request"), jobs=[{"name": "test", "result": "failure"}], statuses=["lint"])
    control.protect(REPO, "main", checks=["test", ("lint", None)], approvals=1, strict=True, classic=True)
    control.protect(REPO, "main", checks=[("test", 15368)], merge_queue=True, linear=True, resolve_threads=True)
    merged = scene.pull("early")
    control.merge(REPO, merged["number"], "owner")
    pull = scene.pull()
    control.thread(REPO, pull["number"], "rita", "Why?", path="feature.txt")
    control.review(REPO, pull["number"], "rita", "APPROVED")
    control.change_pull(REPO, pull["number"], labels=["ops"], reviewers=["owner"], assignees=["bot"])
    control.auto_merge(REPO, pull["number"], "bot")
    issue = control.issue(REPO, "Broken", "It is", labels=["bug"], by="rita")
    part = control.issue(REPO, "Part", parent=issue, blocked_by=[issue])
    control.comment(REPO, issue.number, "bot", "I see")
    sha = pull["head"]["sha"]
    run = next(run for run in control.repository(REPO).runs.values() if run.suite.head_sha == sha)
    numbers = {"n": pull["number"], "merged": merged["number"], "issue": issue.number, "part": part.number}
    return {**numbers, "sha": sha, "run": run.id, "job": run.jobs[0].id}


@needs_openapi
def test_every_route_is_documented_by_github() -> None:
    ours = {"/graphql", "/", "/_logs/{repository}/{id}"}
    unknown = [one.template for one in ROUTES if one.template not in ours and template_of(filled(one.template)) is None]
    assert not unknown


def filled(template: str) -> str:
    """A template with something in its places."""
    return template.replace("{span*}", "a...b").replace("{", "").replace("}", "").replace("*", "")


@needs_graphql
def test_the_own_schema_is_part_of_the_published_one() -> None:
    from graphql import (
        GraphQLEnumType,
        GraphQLField,
        GraphQLInputObjectType,
        GraphQLInterfaceType,
        GraphQLObjectType,
        GraphQLUnionType,
        is_introspection_type,
    )

    fielded = (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType)
    own, published = standin_schema.load(standin_schema.OWN), standin_schema.load(GRAPHQL)
    for name, kind in own.type_map.items():
        if is_introspection_type(kind):
            continue
        theirs = published.type_map[name]
        assert type(kind) is type(theirs), name
        if isinstance(kind, GraphQLEnumType) and isinstance(theirs, GraphQLEnumType):
            assert set(kind.values) <= set(theirs.values), name
        elif isinstance(kind, GraphQLUnionType) and isinstance(theirs, GraphQLUnionType):
            assert {one.name for one in kind.types} <= {one.name for one in theirs.types}, name
        elif isinstance(kind, fielded) and isinstance(theirs, fielded):
            for field, ours in kind.fields.items():
                other = theirs.fields[field]
                assert str(ours.type) == str(other.type), f"{name}.{field}"
                if isinstance(ours, GraphQLField) and isinstance(other, GraphQLField):
                    for argument, given in ours.args.items():
                        assert str(given.type) == str(other.args[argument].type), f"{name}.{field}({argument})"


def test_every_field_of_the_own_schema_has_an_answer() -> None:
    """No query that validates against it may meet a field that the stand-in does not know."""
    from graphql import GraphQLObjectType

    from ops_orchestrate.standin.graphql.fields import FIELDS
    from ops_orchestrate.standin.graphql.route import load_resolvers

    load_resolvers()
    made_on_the_way = {"PageInfo", "RateLimit", "GitActor", "Tree", "Status", "PullRequestCommit", "ReviewRequest"}
    made_on_the_way |= {"Team"}  # a kind of reviewer that a query may ask about, and that nobody is here
    made_on_the_way |= {"PullRequestChangedFile", "SubIssuesSummary", "MergeQueue", "StatusCheckRollup"}
    without = [
        f"{kind.name}.{field}"
        for kind in standin_schema.load(standin_schema.OWN).type_map.values()
        if isinstance(kind, GraphQLObjectType) and kind.name not in made_on_the_way
        if not kind.name.startswith(("__", "CheckAnnotation")) and not kind.name.endswith(("Connection", "Payload"))
        for field in kind.fields
        if (kind.name, field) not in FIELDS
    ]
    assert not without


def test_every_argument_of_the_own_schema_is_obeyed() -> None:
    from graphql import GraphQLObjectType

    from ops_orchestrate.standin.graphql.route import obeyed

    ignored = [
        f"{kind.name}.{field}({argument})"
        for kind in standin_schema.load(standin_schema.OWN).type_map.values()
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for field, given in kind.fields.items()
        for argument in given.args
        if argument not in obeyed(kind.name, field)
    ]
    assert not ignored


@needs_graphql
def test_an_argument_that_only_another_field_obeys_is_refused_aloud(tmp_path: Path) -> None:
    with Standin(tmp_path / "github", published=GRAPHQL) as standin:
        query = '{repository(owner:"acme",name:"app"){labels(first:5,query:"bug"){nodes{name}}}}'
        refused = Scene(standin).graphql(query)["errors"][0]
    assert refused["message"] == "The stand-in does not know Repository.labels(query)."
