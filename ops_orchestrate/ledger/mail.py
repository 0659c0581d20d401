"""Mailboxes: what is to be said to the agent of a task, in order, and what each attempt has been told of it."""

from __future__ import annotations

from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.mail import MOST, Letter
from ops_orchestrate.ledger.keys import Keys
from ops_orchestrate.ledger.results import Posted
from ops_orchestrate.ledger.scripts import Scripts
from ops_orchestrate.ledger.server import Server


class Mail:
    """The mailboxes of all tasks."""

    def __init__(self, server: Server, scripts: Scripts, keys: Keys) -> None:
        self._server = server
        self._scripts = scripts
        self._keys = keys

    def send(self, run: str, task: str, letter: Letter, *, id: str) -> Posted:
        """Put a message in; `id` names it, so that it is put in once. Raises UnknownRun, UnknownTask."""
        kind, number = self._scripts(
            "mail_send", run, task, id, letter.sender, letter.topic.value, letter.text, str(MOST)
        )
        return Posted(kind=kind, number=int(number))

    def after(self, run: str, task: str, number: int) -> list[Letter]:
        """The messages behind this number, oldest first; 0: all of them."""
        name = self._keys("mail", run, task)
        stored = self._server.ask(lambda: self._server.client.lrange(name, number, -1))
        return [Letter.model_validate_json(text) for text in stored]

    def told(self, key: StageKey, number: int, how: str) -> bool:
        """This attempt has been told everything up to `number`; False for a stale key, or where that is known."""
        return self._scripts.flag("mail_told", key.run, key.task, str(key.attempt), str(key.fence), str(number), how)
