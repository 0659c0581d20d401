"""What calls of a model's API have used, as the provider's own answers count it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import Field

from ops_orchestrate.core.value import Value

#: Where an answer has no count, this many bytes of it and of the question are taken for one token: rather too many.
BYTES_A_TOKEN = 3
_MOST = 10**10
#: What a call may answer with, where it does not limit that itself.
_ANSWER = 32_000
#: How many answers a call asks for at once, each of which may be as long.
_ANSWERS = ("n", "candidateCount", "candidate_count")
_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens")


class Tokens(NamedTuple):
    """Tokens of one call, or of several; `input` are those that were neither read from a cache nor written to one."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_hour: int = 0
    """Written to a cache that is kept for an hour, which costs more; not among `cache_write`."""

    def plus(self, other: Tokens) -> Tokens:
        """Both together."""
        return Tokens(*(one + more for one, more in zip(self, other, strict=True)))

    def at_least(self, other: Tokens) -> Tokens:
        """The larger of each: counts within one answer only grow, and come in pieces."""
        return Tokens(*(max(one, more) for one, more in zip(self, other, strict=True)))

    @property
    def all(self) -> int:
        """All of them together."""
        return sum(self)


class ModelUsage(Value):
    """What an attempt has used of a model so far."""

    calls: int = 0
    """Calls that the provider was asked."""
    refused: int = 0
    """Calls that went no further than the proxy."""
    tokens: dict[str, Tokens] = Field(default_factory=dict)
    """By the name of the model, as the agent asked for it."""
    usd: float | None = 0.0
    """What it cost; None where the price of one of the models is not known."""
    estimated: int = 0
    """Calls whose answers did not say: their tokens are estimated from their size."""

    @property
    def total(self) -> Tokens:
        """Over all models."""
        total = Tokens()
        for tokens in self.tokens.values():
            total = total.plus(tokens)
        return total


class ModelTrouble(Value):
    """What a model's API, or our proxy before it, says since it last answered well."""

    status: int
    """The last HTTP status; 502 and 504 where it cannot be reached or does not answer."""
    words: str = ""
    """The beginning of what came with it, cleaned."""
    times: int = 1
    """How often in a row it was no."""
    again_at: float = 0.0
    """When to ask again, in seconds since 1970; 0 where nobody said."""
    ours: bool = False
    """Our own limit, not the provider's."""
    last: bool = True
    """Whether no call of any model was answered since."""


def tokens_in(answer: Mapping[str, Any]) -> Tokens | None:
    """The tokens that an answer, or one event of a stream, counts; None where it counts none."""
    for place in (answer, answer.get("message"), answer.get("response")):
        if isinstance(place, Mapping):
            if isinstance(usage := place.get("usage"), Mapping):
                return _tokens(usage)
            if isinstance(usage := place.get("usageMetadata"), Mapping):
                return _gemini(usage)
    return None


def may_use(request: Mapping[str, Any], size: int) -> Tokens:
    """What a call of `size` bytes may come to: its size as a question, and the longest answers it allows."""
    places = (request, _inner(request, "generationConfig"), _inner(request, "generation_config"))
    limits = [_asked(place.get(name)) for place in places for name in _LIMITS]
    answers = [_asked(place.get(name)) for place in places for name in _ANSWERS]
    output = (max(limits) or _ANSWER) * max(1, *answers)
    return Tokens(input=size // BYTES_A_TOKEN + 1, output=min(output, _MOST))


def _tokens(usage: Mapping[str, Any]) -> Tokens:
    """Anthropic counts what was cached apart, OpenAI within the input."""
    cached = _count(_inner(usage, "input_tokens_details", "prompt_tokens_details").get("cached_tokens"))
    given = _count(usage.get("input_tokens", usage.get("prompt_tokens")))
    hour = _count(_inner(usage, "cache_creation").get("ephemeral_1h_input_tokens"))
    return Tokens(
        input=max(0, given - cached),
        output=_count(usage.get("output_tokens", usage.get("completion_tokens"))),
        cache_read=cached or _count(usage.get("cache_read_input_tokens")),
        cache_write=max(0, _count(usage.get("cache_creation_input_tokens")) - hour),
        cache_write_hour=hour,
    )


def _gemini(usage: Mapping[str, Any]) -> Tokens:
    cached = _count(usage.get("cachedContentTokenCount"))
    return Tokens(
        input=max(0, _count(usage.get("promptTokenCount")) + _count(usage.get("toolUsePromptTokenCount")) - cached),
        output=_count(usage.get("candidatesTokenCount")) + _count(usage.get("thoughtsTokenCount")),
        cache_read=cached,
    )


def _inner(usage: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        if isinstance(found := usage.get(name), Mapping):
            return found
    return {}


def _asked(value: object) -> int:
    """A number of a question, where some providers take one in quotation marks too."""
    written = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= len(str(_MOST))
    return _count(int(value) if written and isinstance(value, str) else value)


def _count(value: object) -> int:
    """A whole number that makes sense; nothing else counts."""
    fine = isinstance(value, int) and not isinstance(value, bool)
    return min(max(value, 0), _MOST) if fine and isinstance(value, int) else 0
