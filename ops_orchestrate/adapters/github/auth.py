"""Who we are to GitHub: a personal token, or a GitHub App's installation.

A token is in memory only. Neither `repr` nor any message of these classes holds one.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import httpx
from pydantic import SecretStr

from ops_orchestrate.adapters.connections import connections, within
from ops_orchestrate.adapters.credential import required
from ops_orchestrate.adapters.github.address import Address, read_address
from ops_orchestrate.adapters.github.words import time_of
from ops_orchestrate.adapters.outward import DIRECT, Outward
from ops_orchestrate.config import Settings
from ops_orchestrate.core.duty import READ_TOKEN, READERS
from ops_orchestrate.core.names import one_line
from ops_orchestrate.errors import SourceUnavailable, UsageError
from ops_orchestrate.ports import Secrets

TOKEN_NAME = "GITHUB_TOKEN"  # noqa: S105 - the name by which the token is asked for
KEY_NAME = "GITHUB_APP_KEY"
_RENEW_BEFORE = 300.0
"""Seconds before its end in which an installation's token is not used any more: a push may take minutes."""
_JWT_SECONDS = 540
_WHOLE_ANSWER = 5
"""A whole answer may take so many times as long as each of its parts."""
_NEEDED = ("contents", "pull_requests")
_CLOCK_SKEW = 60


class Identity(Protocol):
    """Gives the token of the moment."""

    @property
    def bot(self) -> bool:
        """Whether we act as an App's bot, whose login ends in `[bot]`."""

    def name(self) -> str:
        """What tells this identity from any other, over its tokens; it gives no secret away."""

    def lacks(self) -> str:
        """What is missing on our side before anybody can be asked for a token; empty where nothing is."""

    def token(self) -> str:
        """The token to send now. Raises SourceUnavailable where there is none."""

    def granted(self, slug: str) -> bool | None:
        """Whether we may push to a repository and open pull requests there; None: the repository itself says so.

        Raises SourceUnavailable.
        """

    def renew(self) -> bool:
        """GitHub did not take the token: whether asking again would give another one."""

    def secrets(self) -> tuple[str, ...]:
        """The values that no message may hold."""


class TokenIdentity:
    """A person's token, or a machine user's, by the chain of secrets."""

    bot = False

    def __init__(self, secrets: Secrets, name: str = TOKEN_NAME) -> None:
        self._secrets = secrets
        self._name = name

    def name(self) -> str:
        """A digest of the token."""
        return hashlib.sha256((self._secrets.get(self._name) or "").encode()).hexdigest()

    def lacks(self) -> str:
        """A token, where nobody has it."""
        try:
            self.token()
        except SourceUnavailable as error:
            return str(error)
        return ""

    def token(self) -> str:
        """The token. Raises SourceUnavailable, with the places that were asked for it."""
        return required(self._secrets, self._name)

    def granted(self, slug: str) -> bool | None:
        """A person's permissions stand in the repository's own answer."""
        del slug
        return None

    def renew(self) -> bool:
        """A person's token can't be renewed by us."""
        return False

    def secrets(self) -> tuple[str, ...]:
        """The token."""
        token = self._secrets.get(self._name)
        return (token,) if token else ()


class AppIdentity:
    """A GitHub App as it is installed for one account. Its tokens last an hour and are renewed before they end."""

    bot = True

    def __init__(
        self,
        address: Address,
        secrets: Secrets,
        *,
        app: str,
        installation: str,
        timeout: float,
        outward: Outward = DIRECT,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._rest = address.rest
        self._outward = outward
        self._installation = installation
        self._app = app
        self._secrets = secrets
        self._timeout = timeout
        self._now = now
        self._lock = threading.Lock()
        self._token: SecretStr | None = None
        self._ends = 0.0

    def name(self) -> str:
        """App and installation: their tokens change by the hour."""
        return f"app {self._app} installation {self._installation}"

    def lacks(self) -> str:
        """A key that can sign; GitHub is not asked for anything."""
        try:
            self._signed()
        except SourceUnavailable as error:
            return str(error)
        return ""

    def token(self) -> str:
        """The installation's token, a new one where the old one ends soon. Raises SourceUnavailable."""
        with self._lock:
            if self._token is None or self._ends - self._now() < _RENEW_BEFORE:
                self._token, self._ends = self._ask()
            return self._token.get_secret_value()

    def granted(self, slug: str) -> bool:
        """Whether the installation covers the repository, and may write contents and pull requests.

        A repository's own `permissions` are those of a person: for an App every one of them is false.
        """
        status, body = self._say("GET", f"/repos/{slug}/installation")
        if status == httpx.codes.NOT_FOUND:
            return False
        if status != httpx.codes.OK:
            raise SourceUnavailable(f"GitHub does not say what the App may do to {slug}: HTTP {status}")
        rights = body.get("permissions")
        enough = isinstance(rights, dict) and all(rights.get(name) == "write" for name in _NEEDED)
        return enough and str(body.get("id")) == self._installation and body.get("suspended_at") is None

    def renew(self) -> bool:
        """Forget the token, so that the next request gets another one."""
        with self._lock:
            had, self._token = self._token is not None, None
        return had

    def secrets(self) -> tuple[str, ...]:
        """The token of the moment and the key."""
        with self._lock:
            token = self._token.get_secret_value() if self._token else None
        return tuple(value for value in (token, self._secrets.get(KEY_NAME)) if value)

    def _ask(self) -> tuple[SecretStr, float]:
        status, body = self._say("POST", f"/app/installations/{self._installation}/access_tokens")
        token, ends = body.get("token"), time_of(body.get("expires_at")) if status == httpx.codes.CREATED else 0.0
        if isinstance(token, str) and token and ends:
            return SecretStr(token), ends
        raise SourceUnavailable(f"GitHub gives the App no token of its installation: HTTP {status}")

    def _say(self, method: str, path: str) -> tuple[int, Mapping[str, Any]]:
        """Ask as the App itself. Raises SourceUnavailable."""
        headers = {"Authorization": f"Bearer {self._signed()}", "Accept": "application/vnd.github+json"}
        try:
            transport = connections(self._rest, self._outward)
            with within(_WHOLE_ANSWER * self._timeout), httpx.Client(transport=transport, trust_env=False) as client:
                answer = client.request(method, self._rest + path, headers=headers, timeout=self._timeout)
            body = answer.json()
            return answer.status_code, body if isinstance(body, dict) else {}
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
            problem = type(error).__name__  # its text may quote the request
        raise SourceUnavailable(f"GitHub gives the App no token of its installation, nor any answer: {problem}")

    def _signed(self) -> str:
        key = self._secrets.get(KEY_NAME)
        if not key:
            tried = "; ".join(self._secrets.tried(KEY_NAME))
            raise SourceUnavailable(f"The GitHub App's private key {KEY_NAME} was not found ({one_line(tried, 200)}).")
        now = int(self._now())
        claims = {"iat": now - _CLOCK_SKEW, "exp": now + _JWT_SECONDS, "iss": self._app}
        return _jwt(claims, key.replace("\\n", "\n"))


def identity_of(settings: Settings, secrets: Secrets) -> Identity:
    """The identity that the settings name; in a pool that only reads, the token for reading where there is one.

    Raises UsageError where an App is named by half.
    """
    if settings.pool in READERS and secrets.get(READ_TOKEN):
        return TokenIdentity(secrets, READ_TOKEN)
    app, installation = settings.github_app_id, settings.github_app_installation
    if not app and not installation:
        return TokenIdentity(secrets)
    if not (app and installation and app.isalnum() and installation.isdigit()):
        raise UsageError(
            "A GitHub App needs both OPS_GITHUB_APP_ID and OPS_GITHUB_APP_INSTALLATION, as GitHub has them."
        )
    address = read_address(settings.github_api_url)
    return AppIdentity(
        address,
        secrets,
        app=app,
        installation=installation,
        timeout=settings.github_timeout,
        outward=Outward.of(settings),
    )


def _jwt(claims: dict[str, Any], pem: str) -> str:
    """Signed claims. Raises SourceUnavailable, which tells nothing of the key."""
    try:  # an extra: only a GitHub App needs them
        import jwt
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        remedy = "`pip install 'ops-orchestrate[github-app]'`"
        raise SourceUnavailable(f"A GitHub App needs PyJWT with cryptography: {remedy}.") from None
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # no PEM; with a password; of a kind that is not known
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise SourceUnavailable(
            f"The GitHub App's private key {KEY_NAME} is no RSA key in PEM form without a password."
        )
    return jwt.encode(claims, key, algorithm="RS256")
