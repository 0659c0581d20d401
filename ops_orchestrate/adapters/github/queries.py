"""The GraphQL that is asked. Every list says how many there are in all, so that a cut one is noticed."""

from __future__ import annotations

CHECKS = """
fragment Checks on Commit {
  oid committedDate
  checkSuites(first: 20) { nodes { createdAt } }
  statusCheckRollup { contexts(first: 100, after: $checks) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { __typename
      ... on CheckRun { databaseId name status conclusion startedAt completedAt url @REQUIRED@
        checkSuite { app { databaseId } workflowRun { databaseId event workflow { databaseId } } } }
      ... on StatusContext { context state targetUrl createdAt creator { login } @REQUIRED@ }
    }
  } }
}
"""

BASE_CHECKS = """
fragment BaseChecks on Commit {
  oid statusCheckRollup { contexts(first: 100) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { __typename
      ... on CheckRun { databaseId name status conclusion startedAt completedAt url
        checkSuite { app { databaseId } workflowRun { databaseId event workflow { databaseId } } } }
      ... on StatusContext { context state targetUrl createdAt creator { login } }
    }
  } }
}
"""
"""The same of the base, of which nothing is required by a pull request."""

_REPOSITORY = """
  nameWithOwner isArchived isDisabled squashMergeAllowed mergeCommitAllowed rebaseMergeAllowed
"""
"""What `standing` reads of the repository, beside its pull requests."""

_PULL = """
  number url state isDraft title headRefOid headRefName baseRefName isCrossRepository
  createdAt mergeable mergeStateStatus reviewDecision isInMergeQueue
  author { __typename login }
  autoMergeRequest { enabledBy { __typename login } }
  mergeCommit { oid }
  headRef { target { ... on Commit { ...Checks } } }
  labels(first: 50) { totalCount nodes { name } }
  reviewRequests(first: 30) { totalCount nodes { requestedReviewer {
    ... on User { login } ... on Bot { login } ... on Team { combinedSlug } } } }
"""

_REVIEW = "state body submittedAt authorCanPushToRepository author { __typename login } commit { oid }"
_THREAD = """id isResolved path line comments(first: 50) { totalCount nodes {
  body createdAt authorAssociation viewerDidAuthor author { __typename login } } }"""

_WHOLE = f"""
  body
  reviews(first: 100, after: $reviews) {{ totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ {_REVIEW} }} }}
  reviewThreads(first: 50, after: $threads) {{
    totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ {_THREAD} }} }}
"""

_NO_PAGES = "isRequired(pullRequestNumber: $number)"

PULL = (
    """
query Pull($owner: String!, $name: String!, $number: Int!, $checks: String, $reviews: String, $threads: String) {
  viewer { login }
  repository(owner: $owner, name: $name) {"""
    + _REPOSITORY
    + "pullRequest(number: $number) {"
    + _PULL
    + " baseRef { target { ... on Commit { ...BaseChecks } } } "
    + _WHOLE
    + "} } }"
    + CHECKS.replace("@REQUIRED@", _NO_PAGES)
    + BASE_CHECKS
)
"""One pull request with the first page of everything, and of its base's checks; further pages by the cursors."""

COMMIT = """
query Commit($owner: String!, $name: String!, $oid: GitObjectID!, $checks: String) {
  repository(owner: $owner, name: $name) { nameWithOwner object(oid: $oid) { ... on Commit { ...Checks } } } }
""" + CHECKS.replace("@REQUIRED@", "")
"""The checks of one commit."""

FIND = """
query Find($owner: String!, $name: String!, $branch: String!) {
  repository(owner: $owner, name: $name) { nameWithOwner
    pullRequests(headRefName: $branch, first: 100, orderBy: {field: CREATED_AT, direction: DESC}) {
      nodes { number isCrossRepository state } } } }
"""

GLANCE = (
    """
query Glance($owner: String!, $name: String!, $after: String, $checks: String) {
  viewer { login }
  repository(owner: $owner, name: $name) {"""
    + _REPOSITORY
    + """pullRequests(states: OPEN, first: 15, after: $after, orderBy: {field: CREATED_AT, direction: DESC}) {
      totalCount pageInfo { hasNextPage endCursor } nodes {"""
    + _PULL
    + f"""reviews(first: 50) {{ totalCount nodes {{ {_REVIEW} }} }}
      reviewThreads(first: 50) {{ totalCount nodes {{ id isResolved path line }} }} }} }} }} }}"""
    + CHECKS.replace("@REQUIRED@", "")
)
"""All open pull requests, for waiting: no comments, and no word on which check is required.

Fifteen a page, six lists each, are what one point buys; twenty-five would cost two."""

STANDING = f"""
query Standing($owner: String!, $name: String!) {{
  viewer {{ login }} repository(owner: $owner, name: $name) {{ {_REPOSITORY} }} }}
"""
"""The repository itself, where none of its pull requests has been asked for lately."""

PULL_ID = """
query PullId($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { id headRefOid isInMergeQueue } } }
"""

ENQUEUE = """
mutation Enqueue($id: ID!, $head: GitObjectID!) {
  enqueuePullRequest(input: {pullRequestId: $id, expectedHeadOid: $head}) { mergeQueueEntry { id } } }
"""

THREAD = """
query Thread($id: ID!) { node(id: $id) { ... on PullRequestReviewThread {
  isResolved comments(last: 1) { nodes { body viewerDidAuthor } } } } }
"""

REPLY = """
mutation Reply($id: ID!, $text: String!) {
  addPullRequestReviewThreadReply(input: {pullRequestReviewThreadId: $id, body: $text}) { comment { id } } }
"""

RESOLVE = """
mutation Resolve($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { isResolved } } }
"""

_LOOK_PULL = """
  number url state isDraft title headRefOid headRefName baseRefName isCrossRepository createdAt updatedAt
  mergeable mergeStateStatus reviewDecision
  author { __typename login }
  body
  statusCheckRollup { state }
  labels(first: 100) { nodes { name } }
  closingIssuesReferences(first: 50) { nodes { number repository { nameWithOwner } } }
  reviewThreads(first: 100) { totalCount nodes { isResolved path line } }
"""

LOOK = (
    """
query Look($owner: String!, $name: String!, $integration: String!, $main: String!,
           $pulls: String, $issues: String, $withPulls: Boolean!, $withIssues: Boolean!, $withMerged: Boolean!) {
  viewer { login }
  repository(owner: $owner, name: $name) {
    nameWithOwner isArchived isDisabled viewerPermission
    defaultBranchRef { name target { oid } }
    integration: ref(qualifiedName: $integration) { name target { oid } }
    main: ref(qualifiedName: $main) { name target { oid } }
    master: ref(qualifiedName: "refs/heads/master") { name target { oid } }
    pullRequests(states: OPEN, first: 50, after: $pulls, orderBy: {field: UPDATED_AT, direction: DESC})
      @include(if: $withPulls) { totalCount pageInfo { hasNextPage endCursor } nodes {"""
    + _LOOK_PULL
    + """} }
    merged: pullRequests(states: MERGED, first: 50, orderBy: {field: UPDATED_AT, direction: DESC})
      @include(if: $withMerged) { nodes {
      number body headRefName baseRefName isCrossRepository author { __typename login } } }
    issues(states: OPEN, first: 50, after: $issues, orderBy: {field: UPDATED_AT, direction: DESC})
      @include(if: $withIssues) { totalCount pageInfo { hasNextPage endCursor } nodes {
      number url title body createdAt updatedAt authorAssociation
      author { __typename login }
      labels(first: 100) { nodes { name } }
      subIssues(first: 100) { nodes { number state repository { nameWithOwner } } }
      closedByPullRequestsReferences(first: 20) { nodes { number url state headRefName isCrossRepository
        author { __typename login } repository { nameWithOwner } } } } } } }
"""
)
"""One repository for the audit."""

_TRACE = """{ nameWithOwner isArchived isDisabled viewerPermission
  defaultBranchRef { name target { oid } }
  integration: ref(qualifiedName: $i@N@) { target { oid } }
  main: ref(qualifiedName: $m@N@) { target { oid } }
  master: ref(qualifiedName: "refs/heads/master") { target { oid } }
  issues(states: OPEN, first: 1, orderBy: {field: UPDATED_AT, direction: DESC}) {
    totalCount nodes { number updatedAt } }
  pullRequests(states: OPEN, first: 20, orderBy: {field: UPDATED_AT, direction: DESC}) {
    totalCount nodes { number updatedAt headRefOid } } }
"""


WHO = "query Who { viewer { login } rateLimit { limit remaining } }"
"""Who we are, and what is left of the points for queries."""


def traces(count: int) -> str:
    """A query that tells of so many repositories at once whether anything has changed, for one point."""
    names = range(count)
    heads = ", ".join(f"$o{n}: String!, $n{n}: String!, $i{n}: String!, $m{n}: String!" for n in names)
    bodies = " ".join(f"r{n}: repository(owner: $o{n}, name: $n{n}) " + _TRACE.replace("@N@", str(n)) for n in names)
    return f"query Traces({heads}) {{ {bodies} }}"
