"""What an agent that asks may do: everything inside its room, but what would leave it or touch secrets.

A courtesy to an agent that means well, and the same for every kind of agent; the sandbox and the guards hold the
rest. Where there is no sandbox, it runs git's local commands and no others, and writes in its tree alone.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

from ops_orchestrate.core.pathclass import is_secret_file
from ops_orchestrate.core.value import Value

#: Commands that are denied everywhere.
DENIED_COMMANDS = ("git push", "git remote", "gh", "sudo")
#: Git's words that may be run where there is no sandbox.
LOCAL_GIT = ("add", "commit", "diff", "log", "mv", "rm", "show", "status")
_BETWEEN = re.compile(r"[;&|()<>]+")
_UNQUOTED = re.compile(r"[;&|()<>\n`\s]+")
_ASSIGNED = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
#: Words before a command that are none themselves; `command git push` is `git push`.
_BEFORE = frozenset({"command", "env", "exec", "nohup", "time", "then", "else", "do", "if", "while", "until", "!", "{"})
#: Words of a command that are looked at where every word may begin one: with all of them, a line would take seconds.
_AHEAD = 16
#: Git's own options that take a word.
_GIT_TAKES = frozenset({"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path"})


class ToolAsk(Value):
    """What an agent asks to do."""

    kind: str = "other"
    """ACP's: read, edit, delete, move, search, execute, think, fetch, other."""
    command: str = ""
    """With `execute`: the shell's line."""
    paths: tuple[str, ...] = ()
    """Files that it names."""


def refuse_tool(ask: ToolAsk, *, sandboxed: bool, tree: str) -> str:
    """Why it may not, in words; empty where it may."""
    if ask.kind == "fetch":
        return "it reaches the web"
    secret = next((path for path in ask.paths if is_secret_file(path)), None)
    if secret is not None:
        return f"{secret.rpartition('/')[2]} holds secrets"
    commands = [" ".join(words) for words in commands_in(ask.command)]
    for denied in DENIED_COMMANDS:
        if any(f"{command} ".startswith(f"{denied} ") for command in commands):
            return f"{denied} is not for agents"
    return "" if sandboxed else _refuse_outside(ask, commands, tree)


def _refuse_outside(ask: ToolAsk, commands: Sequence[str], tree: str) -> str:
    """The rest of the rule where nothing keeps it in."""
    if ask.kind == "execute":
        allowed = bool(commands) and all(
            command.startswith(tuple(f"git {w}" for w in LOCAL_GIT)) for command in commands
        )
        return "" if allowed else "without a sandbox it runs git's local commands alone"
    if ask.kind in ("edit", "delete", "move"):
        inside = bool(ask.paths) and all(f"{path}/".startswith(f"{tree}/") and "/../" not in path for path in ask.paths)
        return "" if inside else "without a sandbox it writes in its tree alone"
    return ""


def commands_in(line: str) -> Iterator[tuple[str, ...]]:
    """The commands of a shell's line, without what stands before them; git's without options of its own."""
    for part in _parts(line):
        words = list(_without(part))
        if words:
            name, *rest = words
            program = name.rpartition("/")[2]
            yield (program, *(_git(rest) if program == "git" else rest))


def _parts(line: str) -> Iterator[list[str]]:
    """Words between what a shell separates commands with; quoted ones are one word each."""
    reader = shlex.shlex(line.replace("\n", ";").replace("`", ";"), posix=True, punctuation_chars=True)
    reader.commenters = ""
    try:
        words = list(reader)
    except ValueError:  # a quote that is never closed: every word may begin a command
        plain = [word for word in _UNQUOTED.split(line) if word]
        yield from (plain[at : at + _AHEAD] for at in range(len(plain)))
        return
    part: list[str] = []
    for word in [*words, ";"]:
        if _BETWEEN.fullmatch(word):
            yield part
            part = []
        elif word != "$":
            part.append(word)


def _without(words: Iterable[str]) -> Iterator[str]:
    began = False
    for word in words:
        began = began or not (word in _BEFORE or _ASSIGNED.fullmatch(word))
        if began:
            yield word


def _git(words: Sequence[str]) -> list[str]:
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in _GIT_TAKES else 1
    return list(words[at:])
