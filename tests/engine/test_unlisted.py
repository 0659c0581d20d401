"""What an agent and a gate asked for in vain is in the story of the attempt, for the owner to allow or not."""

from __future__ import annotations

import shlex
from pathlib import Path

from ops_orchestrate.core.event import EventKind
from ops_orchestrate.report.fold import fold
from ops_orchestrate.report.live import event_line
from tests.adapters.foreign import needs_sandbox
from tests.engine.rig import Rig, requested, work

GATE = "asked for gate.example, which is not on the list of `gate_hosts` of app: add there what it may reach."
_SECRET = "ghp-secret.example"


def asking(*hosts: str) -> list[str]:
    """A program that asks for these."""
    code = (
        "import contextlib, urllib.request\n"
        f"for host in {hosts!r}:\n"
        "    with contextlib.suppress(OSError): urllib.request.urlopen(f'https://{host}/', timeout=10)\n"
    )
    return ["python3", "-I", "-S", "-c", code]


@needs_sandbox
def test_the_owner_is_told_once_and_without_secrets(tmp_path: Path, server_url: str) -> None:
    """Nobody has named a host: what was asked for is heard all the same, at audit and in the attempt."""
    rig = Rig.build(tmp_path, server_url, MY_SERVICE_TOKEN=_SECRET)
    try:
        rig.play({"ask": [[{"run": {"argv": asking("files.example", "files.example", _SECRET)}}, *work("ask")]]})
        rig.start()
        gate = f"{shlex.join(asking('gate.example'))}; test ! -e broken"
        portfolio = rig.portfolio(*rig.upstreams, gate=gate)
        events = rig.finish(rig.submit([requested("ask", rig.newest)], portfolio=portfolio))
    finally:
        rig.close()
    told = [event for event in events if event.kind is EventKind.WARNING]
    assert [(event.task, event.attempt) for event in told] == [("ask", 1), ("ask", 1)], rig.story()
    agents, gates = (event.data["text"] for event in told)
    assert agents.startswith("The agent asked for files.example, [redacted], which are not on the list of OPS_AGENT")
    assert gates == f"The gate {GATE}"
    view = fold(events)
    assert len(view.warnings) == 2
    assert [note.title for note in view.notes] == [f"The gate {GATE}"], "the audit's own"
    assert event_line(told[1], view) == f"■ warning: ask: The gate {GATE}"
