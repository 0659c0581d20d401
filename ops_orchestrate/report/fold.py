"""Events into the picture of a run, a few at a time: `fold(a + b) == fold(b, fold(a))`.

Every kind of event has one small function in the `fold_*` files, found by its kind; a kind without one
changes nothing. Events seen before (by `seq`) and events of another run are passed over, so a stream may be
read again.
"""

from __future__ import annotations

from collections.abc import Iterable

from ops_orchestrate.core.event import Event
from ops_orchestrate.report.draft import Draft
from ops_orchestrate.report.fold_attempt import ATTEMPT_RULES
from ops_orchestrate.report.fold_run import RUN_RULES
from ops_orchestrate.report.fold_task import TASK_RULES
from ops_orchestrate.report.view import RunView

_RULES = {**RUN_RULES, **TASK_RULES, **ATTEMPT_RULES}


def fold(events: Iterable[Event], view: RunView | None = None) -> RunView:
    """The picture after these events, which follow those that `view` was made of."""
    draft = Draft(view or RunView())
    for event in events:
        if draft.takes(event):
            rule = _RULES.get(event.kind)
            if rule is not None:
                rule(draft, event)
    return draft.view()
