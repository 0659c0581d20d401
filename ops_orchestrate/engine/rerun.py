"""A workflow run that an audit found red through no fault of the code is run once more. Only ship may ask for that."""

from __future__ import annotations

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.core.merge.pull import Check, Conclusion
from ops_orchestrate.engine.toolbox import Toolbox
from ops_orchestrate.errors import SourceUnavailable


def rerun(run_id: str, repo: str, number: int, tools: Toolbox) -> None:
    """Ask once, if it is still on its first attempt; what came of it is in the record, and the next audit sees it."""
    repository = tools.ledger.runs.get(run_id).request.portfolio.repository(repo)
    pulls = tools.pulls_of(repository)
    if pulls is None:
        return
    check = Check(kind="run", id=0, name="", conclusion=Conclusion.FAILURE, run=number, attempt=1)
    try:
        refused = pulls.may_write(repository)
        landing = None if refused else pulls.rerun(repository, check)
        text = refused or (landing and (landing.detail or str(landing.end))) or ""
    except SourceUnavailable as error:
        text = str(error)
    data = {"what": "rerun", "project": repository.name, "text": f"workflow run {number}: {text}"}
    tools.ledger.runs.note(run_id, EventKind.EVIDENCE, host=tools.host, data=data)
