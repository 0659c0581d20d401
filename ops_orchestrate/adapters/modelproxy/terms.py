"""Where a proxy goes, with which key, and how much may pass."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ops_orchestrate.errors import UsageError

_HERE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Upstream:
    """A model's API. Raises UsageError for an address that a key must not be sent to."""

    url: str
    """The base URL, as the CLI would be given it: `https://api.anthropic.com`, `https://api.openai.com/v1`."""
    header: str = "x-api-key"
    """The header that the key goes into."""
    prefix: str = ""
    """What stands before it there: `Bearer ` with the header `authorization`."""

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in ("https", "http") or parts.query or parts.fragment or "@" in parts.netloc:
            raise UsageError("The model's base URL must be an https URL without credentials, query and fragment.")
        if parts.scheme == "http" and host not in _HERE:
            raise UsageError("The model's base URL must be https: a key would go over the network in the clear.")

    @property
    def host(self) -> str:
        """Whom it is asked of."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Where."""
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def path(self) -> str:
        """The path of the base URL, without a slash at its end."""
        return urlsplit(self.url).path.rstrip("/")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may pass in one attempt. Sizes in bytes, times in seconds; 0 of the last two: no cap."""

    request: int = 32 << 20
    answer: int = 64 << 20
    at_once: int = 8
    """Calls at the same time; one more is told to come again."""
    connect: float = 20.0
    silence: float = 300.0
    """How long the provider may say nothing at all within an answer."""
    seconds: float = 1800.0
    """One call, from its first byte to its last."""
    models: tuple[str, ...] = ()
    """Globs of the models that may be asked; none: any."""
    server_tools: bool = False
    """Whether the provider may reach out for the agent: its own search, fetching, code and MCP servers."""
    tokens: int = 0
    usd: float = 0.0
    """A call begins only while what was used and what others under way may use is below these, so one call passes
    them at the most. With a price that is not known, a cap in dollars lets nothing begin."""
