"""What tokens cost: list prices in dollars for a million, and a sum that loses nothing.

Money is counted in whole microdollars: a price has at most a handful of digits, so what tokens cost is exact in
decimals and rounded up once, at the end. A model that is not in the table has no price; it is never free.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal
from typing import Annotated

from pydantic import Field, ValidationError

from ops_orchestrate.core.modelusage import Tokens
from ops_orchestrate.core.names import one_line
from ops_orchestrate.core.value import Value
from ops_orchestrate.errors import UsageError

LIMIT = 256_000
"""Bytes of a file with prices."""
MICROS = 1_000_000
"""Microdollars in a dollar."""

Dollars = Annotated[Decimal, Field(ge=0, le=100_000, allow_inf_nan=False)]
Price = Callable[[str, Tokens], int | None]
"""Microdollars for tokens of a model; None where its price is not known."""

#: What stands behind a model's name in a request: the day of a snapshot, the size of a window.
_SUFFIX = re.compile(r"(?:-\d{8}|-\d{4}-\d{2}-\d{2}|-latest|\[\w{1,4}\])\Z")
#: A cache that is kept for an hour costs twice the input to write, where the table does not say.
_HOUR = 2


class ModelPrice(Value):
    """Dollars for a million tokens of one model."""

    input: Dollars
    output: Dollars
    cache_read: Dollars
    cache_write: Dollars
    """Into a cache that is kept for some minutes."""
    cache_write_hour: Dollars | None = None
    """Into one that is kept for an hour; None: twice the input."""

    def micros(self, tokens: Tokens) -> int:
        """What these tokens cost, in microdollars, rounded up."""
        hour = self.input * _HOUR if self.cache_write_hour is None else self.cache_write_hour
        prices = (self.input, self.output, self.cache_read, self.cache_write, hour)
        exact = sum((price * count for price, count in zip(prices, tokens, strict=True)), Decimal())
        return int(exact.to_integral_value(ROUND_CEILING))


class Prices(Value):
    """A table of prices."""

    as_of: str = ""
    """The day on which they were looked up."""
    source: str = ""
    models: dict[str, ModelPrice]

    def of(self, model: str) -> ModelPrice | None:
        """The price of a model, as an agent asks for it; None where it is not known.

        A snapshot (`NAME-20260101`) costs what its model costs, where it has no line of its own.
        """
        found = self.models.get(model)
        while found is None and (bare := _SUFFIX.sub("", model)) != model:
            found, model = self.models.get(bare), bare
        return found

    def micros(self, model: str, tokens: Tokens) -> int | None:
        """What tokens of a model cost, in microdollars; None where its price is not known."""
        found = self.of(model)
        return found.micros(tokens) if found else None

    def with_own(self, own: Prices) -> Prices:
        """This table, the owner's lines before its own."""
        return own.model_copy(update={"models": self.models | own.models})


def parse_prices(data: bytes, *, origin: str) -> Prices:
    """Read a TOML table of prices. Raises UsageError, naming the file and the line of the table."""
    if len(data) > LIMIT:
        raise UsageError(f"{origin} is larger than {LIMIT:,} bytes; a table of prices is not.")
    try:
        raw = tomllib.loads(data.decode(), parse_float=Decimal)
    except (UnicodeDecodeError, ValueError, ArithmeticError, RecursionError) as error:
        raise UsageError(f"{origin} is not TOML: {one_line(str(error), 200)}.") from None
    try:
        return Prices.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = one_line(".".join(str(part) for part in first["loc"]), 120)
        raise UsageError(
            f'{origin}: `{where}`: {first["msg"]}. A line is [models."NAME"] with input, output, cache_read and '
            "cache_write, in dollars for a million tokens."
        ) from None


def in_micros(dollars: float) -> int:
    """Dollars as somebody wrote or said them, in microdollars, rounded up."""
    return int((Decimal(repr(dollars)) * MICROS).to_integral_value(ROUND_CEILING))


def in_dollars(micros: int) -> float:
    """Microdollars in dollars, for people and documents."""
    return micros / MICROS
