"""Exit codes, documented in docs/commands.md, and the one boundary that turns errors into them."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from enum import IntEnum

import click
from click.exceptions import NoArgsIsHelpError

from ops_orchestrate.cli.mistakes import sentence
from ops_orchestrate.core.states import RunState
from ops_orchestrate.errors import OpsError, UsageError


class Exit(IntEnum):
    """What the command's exit code means."""

    DONE = 0  #: everything asked for was done
    ERROR = 1  #: an expected error, explained in one or two sentences
    USAGE = 2  #: the command line, a settings value or a file a person wrote is impossible
    BUG = 3  #: a bug of ours: please report it with the lines printed
    HALTED = 4  #: the run halted; tasks wait for a person or lie beyond --max-waves
    INTERRUPTED = 130  #: stopped by Ctrl-C or `stop`; `resume` goes on


EXIT_OF_RUN: dict[RunState, Exit] = {
    RunState.DONE: Exit.DONE,
    RunState.HALTED: Exit.HALTED,
    RunState.STOPPED: Exit.INTERRUPTED,
    RunState.FAILED: Exit.ERROR,
}


def guarded(body: Callable[[], int]) -> int:
    """Run `body`; print an expected error as sentences, a bug with its traceback. Returns the exit code."""
    try:
        return body()
    except UsageError as error:
        return _say(error, Exit.USAGE)
    except OpsError as error:
        return _say(error, Exit.ERROR)
    except NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return Exit.USAGE
    except click.ClickException as error:
        return _say(sentence(error), Exit.USAGE)
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("\nInterrupted.\n")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): no more can be said, and that is no error of ours.
        sys.stderr.close()
        return Exit.DONE
    except Exception:  # noqa: BLE001 - the boundary: whatever is not expected is a bug, and is shown whole
        traceback.print_exc()
        sys.stderr.write(
            "\nThis is a bug in ops-orchestrate. Nothing is lost: `ops-orchestrate status` shows the board.\n"
        )
        return Exit.BUG


def _say(error: OpsError | str, code: Exit) -> int:
    click.echo(f"error: {error}", err=True)
    return code
