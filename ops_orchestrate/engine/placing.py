"""What the work of a run needs of a machine, and where its messages go; the rule is `core.placement`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from ops_orchestrate import canvas
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.board import Board, Candidate, Host
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.placement import ANYONE, Needs, able, holder_of, serving, why_nobody
from ops_orchestrate.core.project import Project
from ops_orchestrate.core.run import RunRequest
from ops_orchestrate.core.states import Stage
from ops_orchestrate.core.task import TaskRecord
from ops_orchestrate.engine.budget import account_for, agents_of
from ops_orchestrate.engine.toolbox import Toolbox

#: The pool of each stage.
_POOLS = {Stage.IMPLEMENT: "agent", Stage.REVIEW: "agent", Stage.VERIFY: "audit", Stage.LAND: "ship"}
#: Tasks named in one event of who waits.
_TOLD = 20
#: So much of a task's title is shown where its jobs are watched.
_TITLE = 80


def needs_of(board: Board, tools: Toolbox) -> Callable[[Candidate], Needs]:
    """What each candidate asks of its machine."""

    @lru_cache
    def request(run: str) -> RunRequest:
        return tools.ledger.runs.request(run)

    return lambda one: needed(request(one.run), one.repo, board, tools)


def needed(request: RunRequest, repo: str, board: Board, tools: Toolbox) -> Needs:
    """What an attempt at a repository of a run asks: an agent with quota, if there is one, and the folder it is in."""
    agents = agents_of(request, tools)
    able_now = tuple(one for one in agents if account_for(one, tools) not in board.parked)
    return Needs(able_now or agents, _folder(request, repo, serving("agent", board.hosts)))


def tell_who_is_missing(board: Board, needs: Callable[[Candidate], Needs], tools: Toolbox) -> None:
    """Write down, for each run, which tasks wait for a machine that is not there."""
    hosts = serving("agent", board.hosts)
    found: dict[str, dict[str, str]] = {}
    for one in board.candidates:
        if why := why_nobody(needs(one), hosts):
            found.setdefault(one.run, {})[one.task] = why
    for run, waits in found.items():
        tools.ledger.runs.wait(run, next(iter(waits.values())), until=None, tasks=list(waits)[:_TOLD])


def why_nobody_does(record: TaskRecord, board: Board, tools: Toolbox) -> str:
    """What no machine has that a task needs; empty where one can do it."""
    needs = needed(tools.ledger.runs.request(record.run), record.spec.repo, board, tools)
    return why_nobody(needs, serving("agent", board.hosts))


def publish_tail(key: StageKey, start: Stage, tools: Toolbox) -> None:
    """Publish the rest of an attempt's chain, at the machine that alone can do it where there is such a one."""
    request = tools.ledger.runs.request(key.run)
    spec = tools.ledger.tasks.get(key.run, key.task).spec
    hosts = serving(_POOLS[start], tools.ledger.hosts.live())
    path = _folder(request, spec.repo, hosts)
    fit = [host.name for host in hosts if able(host, Needs(path=path))]
    home = min(fit, default=ANYONE) if len(fit) < len(hosts) else ANYONE
    canvas.publish(canvas.attempt(key, start=start, title=shown_title(spec.title, tools), home=home))


def shown_title(title: str, tools: Toolbox) -> str:
    """A task's title for whoever looks at jobs: on one line, short, without secrets."""
    return one_line(tools.secrets.redact(title), _TITLE)


def looked_at_by(projects: Sequence[Project], tools: Toolbox) -> str:
    """The machine to audit these projects on: the one that has their checkouts."""
    paths = {path for one in projects for repo in one.repositories for path in (repo.path, *repo.checkouts)}
    return holder_of(paths, serving("audit", tools.ledger.hosts.live()))


def _folder(request: RunRequest, repo: str, hosts: Sequence[Host]) -> str:
    """The folder of one machine that a repository is; where there is one machine only, it has that or nobody."""
    upstream = request.portfolio.repository(repo).upstream
    return upstream if upstream.startswith("/") and len(hosts) > 1 else ""
