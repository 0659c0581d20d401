"""The tickets of the current cycle as findings: started and unstarted, with what blocks them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import httpx

from ops_orchestrate.adapters.gather import gather
from ops_orchestrate.adapters.github.address import web_host
from ops_orchestrate.adapters.linear.answers import Related, Relation, Ticket, read
from ops_orchestrate.adapters.linear.client import LinearClient, linear_client
from ops_orchestrate.config import Settings
from ops_orchestrate.core.belonging import Clues, Doubt, Spot, place_ticket, served_by
from ops_orchestrate.core.finding import AuditPart, Finding, FindingKind
from ops_orchestrate.core.mentions import GITHUB, SENTRY, linear_name, names_in, repositories_in
from ops_orchestrate.core.names import clean_text, one_line
from ops_orchestrate.core.project import Portfolio, Project
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.core.task import Priority
from ops_orchestrate.core.triage import fingerprint
from ops_orchestrate.errors import SourceUnavailable
from ops_orchestrate.ports import Secrets

_NAME = "linear"

#: Linear's 0 is "no priority": then it is ordinary work, and another source of the same defect may know better.
PRIORITIES = {1: Priority.P0, 2: Priority.P1, 3: Priority.P2, 4: Priority.P3}
WANTED = frozenset({"started", "unstarted"})


class LinearSource:
    """Implements ports.Source."""

    name = _NAME

    def __init__(self, settings: Settings, secrets: Secrets, transport: httpx.BaseTransport | None = None) -> None:
        self._settings = settings
        self._secrets = secrets
        self._transport = transport

    def findings(self, projects: Sequence[Project], request: RunRequest) -> AuditPart:
        """The tickets of every team that the registry names. What did not answer is unknown.

        Raises SourceUnavailable where nothing at all can be had.
        """
        portfolio = request.portfolio.model_copy(update={"projects": tuple(projects)})
        teams = _teams(portfolio) if projects else []

        def ask(client: LinearClient, team: str) -> list[Finding]:
            return _Reader(portfolio, client, web_host(self._settings.github_api_url)).team(team)

        return gather(_NAME, teams, linear_client(self._settings, self._secrets, self._transport), ask)


def _teams(portfolio: Portfolio) -> list[str]:
    named = [one.linear_team for one in portfolio.projects]
    named += [one.linear_team for one in portfolio.issue_sources]
    return list(dict.fromkeys(team.upper() for team in named if team))


class _Reader:
    """From a team's tickets to findings."""

    def __init__(self, portfolio: Portfolio, client: LinearClient, github: str) -> None:
        self._portfolio = portfolio
        self._client = client
        self._github = github
        """The host of GitHub's pages."""

    def team(self, key: str) -> list[Finding]:
        """The findings of one team. Raises SourceUnavailable."""
        projects, certain = served_by(key, self._portfolio)
        team, tickets = self._client.cycle(key)
        if team is None:
            raise SourceUnavailable(f"Linear shows this key no team {one_line(key, 20)}; ops.linear_team names it")
        if team.cycle is None:
            return [
                _notice(projects, key, f"Linear team {key} has no current cycle, so none of its tickets is planned")
            ]
        found: list[Finding] = []
        lost: list[tuple[str, Doubt]] = []
        for ticket in tickets:
            if ticket.state.type not in WANTED:
                continue
            place = place_ticket(self._clues(ticket), projects, certain=certain)
            if isinstance(place, Doubt):
                lost.append((ticket.identifier, place))
            else:
                found.append(_finding(ticket, place, tuple(dict.fromkeys(self._names(ticket)))))
        return [*found, *_notices(key, projects, lost, scoped=self._portfolio.scope == "scoped")]

    def _names(self, ticket: Ticket) -> Iterator[str]:
        """Its own identifiers, what it is a duplicate of, and the one issue or error that it is linked to.

        A ticket with several of a kind attached is a collection, and is none of them. A pull request is no defect.
        What somebody outside the workspace made is itself and nothing else.
        """
        yield linear_name(ticket.identifier)
        yield from (linear_name(one) for one in ticket.previous if one)
        if ticket.outsider:
            return
        for node in ticket.relations.nodes:
            relation = read(Relation, node)
            if relation.type == "duplicate" and relation.related:
                yield linear_name(relation.related.identifier)
        urls = [url for url in _urls(ticket) if "/pull/" not in url]
        linked = [name for url in urls for name in names_in(url, hosts=(self._github,))]
        for source in (GITHUB, SENTRY):
            of_it = {name for name in linked if name.startswith(f"{source}:")}
            if len(of_it) == 1:
                yield of_it.pop()

    def _clues(self, ticket: Ticket) -> Clues:
        links = [slug for url in _urls(ticket) for slug in repositories_in(url, hosts=(self._github,))]
        return Clues(
            links=tuple(dict.fromkeys(links)),
            labels=tuple(str(node.get("name", "")) for node in ticket.labels.nodes),
            title=ticket.title,
            text=ticket.description or "",
        )


def _finding(ticket: Ticket, place: Spot, names: tuple[str, ...]) -> Finding:
    project, repo = place
    words = f"{ticket.title}\n{ticket.description or ''}"
    who = one_line(ticket.outsider.name, 60) if ticket.outsider else ""
    outside = f"{ticket.identifier} was made by {who or 'somebody'}, who is not of the workspace"
    return Finding(
        kind=FindingKind.TICKET,
        project=project.alias,
        repo=repo.key,
        # A ticket keeps its id when it moves to another team and gets another identifier there.
        fingerprint=fingerprint(FindingKind.TICKET, project.alias, repo.key, ticket.id),
        title=one_line(ticket.title),
        detail=_detail(ticket),
        source=_NAME,
        actionable=True,
        priority=PRIORITIES.get(int(ticket.priority)) if ticket.priority.is_integer() else None,
        blocked_by=tuple(dict.fromkeys(_blockers(ticket))),
        names=names,
        hold=outside if ticket.outsider else "",
        closes=(linear_name(ticket.identifier),),
        cause=hashlib.sha256(words.encode()).hexdigest()[:16],
    )


def _detail(ticket: Ticket) -> str:
    assigned = f", assigned to {one_line(ticket.assignee.display, 60)}" if ticket.assignee else ""
    head = f"Linear: {ticket.identifier} {one_line(ticket.url, 300)} ({one_line(ticket.state.name, 40)}{assigned})"
    head += f"\nProject: {one_line(ticket.project.name, 100)}" if ticket.project and ticket.project.name else ""
    return clean_text(f"{head}\n\n{ticket.description or ''}".strip())


def _blockers(ticket: Ticket) -> Iterator[str]:
    """The tickets that block this one, and its sub-issues, as far as they are not over yet."""
    relations = [read(Relation, node) for node in ticket.blockers.nodes]
    others = [one.issue for one in relations if one.type == "blocks" and one.issue]
    for other in (*others, *(read(Related, node) for node in ticket.children.nodes)):
        if not (other.state and other.state.over):
            yield linear_name(other.identifier)


def _urls(ticket: Ticket) -> list[str]:
    return [str(node.get("url", "")) for node in ticket.attachments.nodes]


def _notices(
    team: str, projects: Sequence[Project], lost: Iterable[tuple[str, Doubt]], *, scoped: bool
) -> Iterator[Finding]:
    """One line for all tickets in the same doubt: thirty lines a night would be read by nobody."""
    doubts: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for identifier, doubt in lost:
        doubts.setdefault((doubt.named, doubt.elsewhere), []).append(identifier)
    for (named, elsewhere), identifiers in doubts.items():
        if scoped and not named:
            continue  # it may well belong to a project that is not in this run
        tickets = ", ".join(identifiers[:10]) + (f" and {len(identifiers) - 10} more" if len(identifiers) > 10 else "")
        how = "label each with the project's alias, or link it to its repository"
        if elsewhere:
            where = f"linked to {', '.join(elsewhere[:5])}, which no project here has"
        elif named:
            where = f"could be of {', '.join(named[:10])}"
        else:
            where = f"of team {team} name no project"
            how += f', or set "ops": {{"linear_team": "{team}"}} at the one project that the team works for'
        yield _notice(projects, f"{team}:{named}:{elsewhere}", f"{tickets} {where}: {how}")


def _notice(projects: Sequence[Project], key: str, text: str) -> Finding:
    first = projects[0]
    repo = first.repositories[0].key
    return Finding(
        kind=FindingKind.NOTICE,
        project=first.alias,
        repo=repo,
        fingerprint=fingerprint(FindingKind.NOTICE, first.alias, repo, _NAME, key),
        title=one_line(text, 400),
        source=_NAME,
    )
