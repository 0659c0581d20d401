"""What is asked of Linear. Every document is a constant; a test holds each against Linear's published schema.

Linear prices a query by what it could return (pages times fields, 10,000 points at most), so pages are small and
what a ticket has more of than one page is asked for again, alone.
"""

from __future__ import annotations

#: What a ticket has several of, and the fields of each.
LISTS = {
    "labels": "name",
    "attachments": "url",
    "relations": "type relatedIssue { identifier }",
    "inverseRelations": "type issue { identifier state { type } }",
    "children": "identifier state { type }",
}

_PAGE_INFO = "pageInfo { hasNextPage endCursor }"
_LISTS = " ".join(f"{name}(first: 20) {{ nodes {{ {fields} }} {_PAGE_INFO} }}" for name, fields in LISTS.items())

TEAM = "query Team($team: String!) { teams(first: 1, filter: { key: { eq: $team } }) { nodes { key } } }"

#: A team, its current cycle, and a page of the cycle's tickets that are started or to be started.
CYCLE = f"""
query Cycle($team: String!, $after: String) {{
  teams(first: 1, filter: {{ key: {{ eq: $team }} }}) {{ nodes {{ key activeCycle {{ number }} }} }}
  issues(
    first: 30
    after: $after
    filter: {{
      team: {{ key: {{ eq: $team }} }}
      cycle: {{ isActive: {{ eq: true }} }}
      state: {{ type: {{ in: ["started", "unstarted"] }} }}
    }}
  ) {{
    nodes {{
      id identifier previousIdentifiers title description priority url
      state {{ name type }} project {{ name }} assignee {{ displayName }} externalUserCreator {{ name }}
      {_LISTS}
    }}
    {_PAGE_INFO}
  }}
}}
"""

#: The rest of one list of one ticket.
MORE = {
    name: f"""
query More($id: String!, $after: String) {{
  issue(id: $id) {{ {name}(first: 100, after: $after) {{ nodes {{ {fields} }} {_PAGE_INFO} }} }}
}}
"""
    for name, fields in LISTS.items()
}

#: Where a ticket is, and the states of its team that mean done.
DONE_STATES = """
query DoneStates($id: String!) {
  issue(id: $id) {
    id
    state { type }
    team { states(first: 50, filter: { type: { eq: "completed" } }) { nodes { id name type position } } }
  }
}
"""

MOVE = """
mutation Move($id: String!, $state: String!) {
  issueUpdate(id: $id, input: { stateId: $state }) { success }
}
"""

ALL = (CYCLE, *MORE.values(), DONE_STATES, MOVE)
