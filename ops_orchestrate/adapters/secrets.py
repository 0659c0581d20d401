"""The chain that secrets come from: environment, then Doppler, then the password manager. First one wins.

Values live in a type that prints as stars, and are never logged, cached on disk or put into an argument list.
A secret's name goes into a tool's arguments as one word of its own; no shell is involved.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from ops_orchestrate.adapters.process import run
from ops_orchestrate.core.duty import Duty
from ops_orchestrate.core.preferences import Preferences
from ops_orchestrate.core.value import Value
from ops_orchestrate.errors import UsageError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_PLACE = "{{name}}"
_NONE = "none"
"""What a preference says where the owner wants no manager of that kind."""
_LIMIT = 64_000
TOOL_TIMEOUT = 20.0
"""Seconds for one question to Doppler or the password manager."""


class Origin(StrEnum):
    """Where a secret was looked for, in this order."""

    ENVIRONMENT = "environment"
    DOPPLER = "Doppler"
    MANAGER = "password manager"


class Looked(Value):
    """What one place said: a value, nothing, or (a third thing) that it is set up and does not work."""

    origin: Origin
    value: SecretStr | None = None
    note: str
    """For messages; never holds the value."""
    broken: bool = False


class SecretChain:
    """Implements `ports.Secrets`. Asks each place once for each name, and remembers the answer in memory."""

    def __init__(
        self,
        environment: Mapping[str, str],
        preferences: Preferences,
        *,
        cwd: Path,
        timeout: float = TOOL_TIMEOUT,
        duty: Duty | None = None,
    ) -> None:
        self._duty = duty or Duty()
        self._environment = dict(environment)
        self._preferences = preferences
        self._cwd = cwd
        self._timeout = timeout
        self._known: dict[str, tuple[Looked, ...]] = {}

    def __repr__(self) -> str:
        return f"SecretChain({', '.join(sorted(self._known)) or 'nothing asked yet'})"

    def get(self, name: str) -> str | None:
        """The secret's value, or None where nobody has it."""
        last = self.look(name)[-1]
        return last.value.get_secret_value() if last.value else None

    def tried(self, name: str) -> tuple[str, ...]:
        """Each place that was asked and what it said, without any value."""
        return tuple(f"{one.origin}: {one.note}" for one in self.look(name))

    def values(self) -> tuple[str, ...]:
        """Every value that was found so far, for redaction; nobody is asked for it."""
        found = [looked[-1].value for looked in self._known.values()]
        return tuple(value.get_secret_value() for value in found if value is not None)

    def look(self, name: str) -> tuple[Looked, ...]:
        """Every place that was asked, in order; only the last one may have the value.

        Raises UsageError where `name` could be read as anything else than a name.
        """
        if not _NAME.fullmatch(name):
            raise UsageError("The name of a secret may only have letters, digits and underscores.")
        if name not in self._known:
            self._known[name] = self._ask(name)
        return self._known[name]

    def _ask(self, name: str) -> tuple[Looked, ...]:
        if not self._duty.may_hold(name):
            return (Looked(origin=Origin.ENVIRONMENT, note=f"not for the pool {self._duty.pool}"),)
        asked: list[Looked] = []
        for place in (self._in_environment, self._in_doppler, self._in_manager):
            asked.append(place(name))
            if asked[-1].value is not None:
                break
        return tuple(asked)

    def _in_environment(self, name: str) -> Looked:
        value = self._environment.get(name)
        note = "found" if value else "set, but empty" if value is not None else "not set"
        secret = SecretStr(value) if value else None
        return Looked(origin=Origin.ENVIRONMENT, value=secret, note=note, broken=value == "")

    def _in_doppler(self, name: str) -> Looked:
        chosen = self._preferences
        declared = chosen.secrets_manager == "doppler" or bool(chosen.doppler_project)
        if chosen.secrets_manager == _NONE or not (declared or self._has("doppler")):
            return Looked(origin=Origin.DOPPLER, note="not set up")
        argv = ["doppler", "secrets", "get", name, "--plain"]
        if chosen.doppler_project:
            argv.append(f"--project={chosen.doppler_project}")
        if chosen.doppler_config:
            argv.append(f"--config={chosen.doppler_config}")
        return self._tool(Origin.DOPPLER, argv)

    def _in_manager(self, name: str) -> Looked:
        template = self._preferences.query_command
        if not template or self._preferences.password_manager == _NONE:
            return Looked(origin=Origin.MANAGER, note="not set up")
        try:
            words = shlex.split(template)
        except ValueError:
            words = []
        if not words or _PLACE not in template:
            note = f"its query_cmd cannot be used: it must be a command with {_PLACE} in it"
            return Looked(origin=Origin.MANAGER, note=note, broken=True)
        return self._tool(Origin.MANAGER, [word.replace(_PLACE, name) for word in words])

    def _has(self, tool: str) -> bool:
        return shutil.which(tool, path=self._environment.get("PATH", "")) is not None

    def _tool(self, origin: Origin, argv: Sequence[str]) -> Looked:
        """Ask a tool. What it prints on its error output stays out of the note: it may hold anything."""
        program = shutil.which(argv[0], path=self._environment.get("PATH", ""))
        if program is None:
            return Looked(origin=origin, note=f"{argv[0]} is not installed", broken=True)
        done = run([program, *argv[1:]], cwd=self._cwd, env=self._environment, timeout=self._timeout, keep=_LIMIT)
        if done.timed_out:
            return Looked(origin=origin, note=f"no answer within {self._timeout:g} s", broken=True)
        if done.exit_code != 0:
            return Looked(origin=origin, note=f"does not have it (exit code {done.exit_code})")
        value = None if done.output_cut else secret_in(done.output.decode("utf-8", "replace"))
        if not value:
            return Looked(origin=origin, note="answered without a value", broken=True)
        return Looked(origin=origin, value=SecretStr(value), note="found")


def secret_in(output: str) -> str | None:
    """The secret in what a tool printed: the text itself, or the `value` or `password` of a JSON answer.

    None where a JSON answer has neither: a whole item is never taken for its secret.
    """
    text = output.strip()
    if not text.startswith(("{", "[")):
        return text or None
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return text  # a password may well begin with a bracket
    return _value_of(answer[0] if isinstance(answer, list) and answer else answer)


def _value_of(answer: Any) -> str | None:
    if not isinstance(answer, dict):
        return None
    login = answer.get("login")
    places = (
        answer.get("value"),
        answer.get("password"),
        login.get("password") if isinstance(login, dict) else None,
    )
    return next((one for one in places if isinstance(one, str) and one), None)
