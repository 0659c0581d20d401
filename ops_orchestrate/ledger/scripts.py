"""Loads the Lua scripts and runs them. Every change of the ledger is one script: a compare-and-set, applied once.

redis-py repeats a call whose reply was lost. Most scripts answer a repeat as they answered the first call because
of what they compare; the others say `-- once` in their first line: each call carries a token, and the answer to a
token is kept for some minutes and given again.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from ops_orchestrate.core.board import MAX_AGENTS
from ops_orchestrate.core.states import MOVES, STATE_OF_STAGE, Stage
from ops_orchestrate.ledger.folded import FIELD, FIELDS, LINE
from ops_orchestrate.ledger.server import Server

#: How long the answer to a token is kept: longer than a client goes on repeating a call.
REPLY_SECONDS = 300

#: Prepended to every script, in this order.
PRELUDE = ("prelude", "prelude_money", "prelude_board")

_ONCE = """
local reply_key = key('reply', TOKEN)
local known = redis.call('GET', reply_key)
if known then
  return cjson.decode(known)[1]
end
local reply = body()
redis.call('SET', reply_key, cjson.encode({{ reply }}), 'EX', {seconds})
return reply
"""


class Scripts:
    """All scripts of the ledger, by file name."""

    def __init__(self, server: Server, prefix: str) -> None:
        self._server = server
        self._prefix = prefix
        self._scripts = {name: server.script(_whole(text)) for name, text in _sources().items() if name not in PRELUDE}

    def __call__(self, name: str, *args: str | float) -> Any:
        """Run a script and return its raw answer.

        Raises LedgerUnavailable, UnknownRun, UnknownTask, OtherVersion; ValueError where a state may not move so.
        """
        return self._server.run(self._scripts[name], [self._prefix], [uuid.uuid4().hex, *map(_text, args)])

    def flag(self, name: str, *args: str | float) -> bool:
        """Run a script that answers 1 or 0."""
        return int(self(name, *args)) == 1


def _text(value: str | float) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return value if isinstance(value, str) else repr(value)


@cache
def _sources() -> Mapping[str, str]:
    folder = resources.files("ops_orchestrate.ledger") / "lua"
    files = [file for file in folder.iterdir() if file.name.endswith(".lua")]
    return {file.name.removesuffix(".lua"): file.read_text("utf-8") for file in files}


@cache
def _head() -> str:
    prelude = "\n".join(_sources()[name] for name in PRELUDE)
    moves = ",".join(f"{a}={{{','.join(f'{b}=true' for b in sorted(to))}}}" for a, to in MOVES.items())
    order = ",".join(f"{stage}={number}" for number, stage in enumerate(Stage))
    states = ",".join(f"{stage}='{state}'" for stage, state in STATE_OF_STAGE.items())
    folded = ",".join(f"'{field}'" for field in FIELDS)
    line = f"local FOLDED,FIELD,LINE={{{folded}}},'\\{ord(FIELD)}','\\{ord(LINE)}'\nlocal MAX_AGENTS={MAX_AGENTS}"
    return f"local MOVES={{{moves}}}\nlocal ORDER={{{order}}}\nlocal STATE_OF={{{states}}}\n{line}\n{prelude}"


def _whole(text: str) -> str:
    body = f"{_head()}\nlocal function body()\n{text}\nend\n"
    if text.startswith("-- once\n"):
        return body + _ONCE.format(seconds=REPLY_SECONDS)
    return body + "return body()\n"
