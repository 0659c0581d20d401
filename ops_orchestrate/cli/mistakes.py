"""A wrong command line as one sentence: what is wrong with which word, and the nearest right one. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable

import click

from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.nearest import did_you_mean


def sentence(error: click.ClickException) -> str:
    """What click found, in the words of this program. Click's own wording changes from release to release."""
    said = _said(error)
    where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
    return f"{said} `{where} --help` lists what there is." if where else said


def unknown_verb(word: str, verbs: Iterable[str]) -> str:
    """For a verb that does not exist."""
    return f'There is no verb "{one_line(word, 60)}".{did_you_mean(word, verbs)}'


def _said(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption):
        return f'There is no option "{one_line(error.option_name, 60)}".{_near(error)}'
    if isinstance(error, click.MissingParameter):
        return f"{_name(error)} is missing."
    if isinstance(error, click.BadParameter):
        return f"{_name(error)}: {_period(error.message)}"
    if isinstance(error, click.BadOptionUsage):
        return f"{error.option_name}: {_bad_use(error)}"
    return _period(error.message)


def _near(error: click.NoSuchOption) -> str:
    command = error.ctx.command if error.ctx else None
    known = [name for param in command.params for name in param.opts] if command else []
    return did_you_mean(error.option_name, known)


def _name(error: click.BadParameter) -> str:
    param = error.param
    if param is None:
        return "A value"
    return param.opts[0] if isinstance(param, click.Option) else param.make_metavar(_context(error)).strip(".[]")


def _context(error: click.BadParameter) -> click.Context:
    return error.ctx or click.Context(click.Command("ops-orchestrate"))


def _bad_use(error: click.BadOptionUsage) -> str:
    return "it needs a value." if "requires" in error.message else "it takes no value."


def _period(text: str) -> str:
    line = one_line(text, 300)
    return line if line.endswith((".", "!", "?")) else f"{line}."
