"""What an agent is told, turn by turn: how a message reaches it while it works, and when nothing more is to come.

The protocol knows a prompt and the end of its turn. What is said in between joins the turn where the agent is known for
that, or offers an extension for it; for every other one the turn is ended, and the message begins the next one in the
same session. None is lost: one that came too late for its turn is a prompt of its own. Says what to do; does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from ops_orchestrate.core.steering import MOST_INTERRUPTIONS

GO_ON = "(Your turn was ended to tell you this. Take it into account, and go on with your task.)"
_GOOD = ("end_turn", "cancelled")


class Way(StrEnum):
    """How something is said to an agent within its turn."""

    PROMPT = "prompt"  #: a second prompt joins the turn
    EXTENSION = "extension"  #: by `_session/steering`
    CANCEL = "cancel"  #: its turn is ended for it, and goes on in another one


class Act(StrEnum):
    """One thing to do."""

    PROMPT = "prompt"
    STEER = "steer"
    CANCEL = "cancel"


class Move(NamedTuple):
    """What to do next, with which text."""

    act: Act
    text: str = ""


class Turns:
    """The turns of one session."""

    def __init__(self, *, waits: bool) -> None:
        """`waits`: something is still to be told to it, so its session stays open when its turn has ended."""
        self.way = Way.CANCEL
        self.over = False
        """Whether nothing more is to come of it."""
        self._waits = waits
        self._begun = False
        self._prompts = self._steering = self._cancelled = 0
        self._cancelling = False
        self._kept: list[str] = []

    @property
    def working(self) -> bool:
        """Whether a turn of it has not ended."""
        return self._prompts > 0

    def begin(self, brief: str) -> Iterator[Move]:
        """It has a session: its first turn."""
        self._begun = True
        yield self._prompt(brief)

    def say(self, text: str) -> Iterator[Move] | None:
        """Tell it something; None where it is not there yet, or not any more."""
        if self.over or not self._begun:
            return None
        return self._said(text)

    def ended(self, stop: str) -> Iterator[Move]:
        """A turn has ended."""
        self._prompts -= 1
        if stop not in _GOOD or (stop == "cancelled" and not self._cancelling):
            self.over = self.over or not self._prompts
        elif not self._prompts:
            yield from self._next()

    def steered(self, text: str, *, joined: bool) -> Iterator[Move]:
        """What was said by the extension has joined the turn, or came too late for it."""
        self._steering -= 1
        if not joined:
            self._kept.append(text)
        if not self._prompts:
            yield from self._next()

    def release(self) -> None:
        """What it waited for has been told: its last turn may be the last."""
        self._waits = False
        if self._begun and not (self._prompts or self._steering or self._kept):
            self.over = True

    def _said(self, text: str) -> Iterator[Move]:
        if self.way is Way.PROMPT or not (self._prompts or self._steering):
            yield self._prompt(text)
        elif self.way is Way.EXTENSION:
            self._steering += 1
            yield Move(Act.STEER, text)
        else:
            self._kept.append(text)
            if not self._cancelling and self._cancelled < MOST_INTERRUPTIONS:  # then it waits for the end of its turn
                self._cancelling = True
                self._cancelled += 1
                yield Move(Act.CANCEL)

    def _next(self) -> Iterator[Move]:
        """No turn is under way."""
        if self._kept and not self.over:
            words = [*self._kept, *([GO_ON] if self._cancelling else [])]
            self._cancelling = False
            self._kept.clear()
            yield self._prompt("\n\n".join(words))
        elif not (self._steering or self._waits):
            self.over = True

    def _prompt(self, text: str) -> Move:
        self._prompts += 1
        return Move(Act.PROMPT, text)
