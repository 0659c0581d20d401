"""Who we are: a token by its name, or an App whose tokens are renewed before they end."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from ops_orchestrate.adapters.github.address import read_address
from ops_orchestrate.adapters.github.auth import TOKEN_NAME, AppIdentity, TokenIdentity, identity_of
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.config import Settings
from ops_orchestrate.core.duty import READ_TOKEN
from ops_orchestrate.errors import SourceUnavailable, UsageError
from tests.adapters.github.scripted import NOW, Asked, Known, Say, Server, make_client

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def _app(server: Server, clock: Clock, key: str = PEM) -> AppIdentity:
    secrets = Known(GITHUB_APP_KEY=key) if key else Known()
    return AppIdentity(read_address(server.url), secrets, app="123", installation="45", timeout=5, now=clock)


def _grant(clock: Clock, count: list[int], seconds: float = 3600) -> Any:
    def script(asked: Asked) -> Say:
        if "access_tokens" not in asked.path:
            return Say(body={"sent": asked.headers["authorization"]})
        count.append(1)
        ends = datetime.fromtimestamp(clock.now + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Say(201, {"token": f"ghs_token{len(count)}", "expires_at": ends})

    return script


def test_an_app_signs_with_its_key_and_gets_its_installations_token(server: Server) -> None:
    clock = Clock()
    server.script = _grant(clock, [])
    assert _app(server, clock).token() == "ghs_token1"
    asked = server.asked[0]
    assert (asked.method, asked.path) == ("POST", "/app/installations/45/access_tokens")
    signed = asked.headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(
        signed, KEY.public_key(), algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False}
    )
    assert claims["iss"] == "123"
    assert claims["iat"] < NOW < claims["exp"] <= NOW + 600


def test_its_token_is_kept_until_shortly_before_its_end(server: Server) -> None:
    clock, count = Clock(), list[int]()
    server.script = _grant(clock, count)
    app = _app(server, clock)
    for now, token in ((0, "ghs_token1"), (3200, "ghs_token1"), (3301, "ghs_token2"), (3400, "ghs_token2")):
        clock.now = NOW + now
        assert app.token() == token
    assert app.secrets() == ("ghs_token2", PEM)


def test_a_token_that_is_no_longer_taken_is_replaced_once(server: Server) -> None:
    clock, count = Clock(), list[int]()
    grant = _grant(clock, count)

    def script(asked: Asked) -> Say:
        return (
            Say(401, {"message": "Bad credentials"})
            if asked.headers["authorization"].endswith("token1")
            else grant(asked)
        )

    server.script = script
    client = make_client(server.url, _app(server, clock))
    assert client.get("/repos/o/r", Purpose.SHIP).data == {"sent": "Bearer ghs_token2"}
    client.close()


@pytest.mark.parametrize(
    "answer", [Say(404, {"message": "Not Found"}), Say(201, {}), Say(201, b"nonsense"), Say(201, []), Say(drop=True)]
)
def test_an_app_without_an_answer_is_unavailable_and_keeps_its_key_to_itself(server: Server, answer: Say) -> None:
    server.say(answer)
    with pytest.raises(SourceUnavailable, match="no token") as told:
        _app(server, Clock()).token()
    assert "eyJ" not in str(told.value)


OTHER_KIND = (
    ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
)
WITH_PASSWORD = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pw")).decode()
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize("key", [OTHER_KIND, WITH_PASSWORD, PUBLIC], ids=["other-kind", "with-password", "public"])
def test_a_key_that_cannot_sign_is_said_without_showing_it(server: Server, key: str) -> None:
    with pytest.raises(SourceUnavailable, match=r"^The GitHub App's private key GITHUB_APP_KEY is no RSA key .*[.]$"):
        _app(server, Clock(), key).token()
    assert server.asked == []


@pytest.mark.parametrize(("key", "why"), [("", "was not found"), ("no key", "no RSA key")])
def test_a_missing_or_broken_key_is_said_without_showing_it(server: Server, key: str, why: str) -> None:
    with pytest.raises(SourceUnavailable, match=why) as told:
        _app(server, Clock(), key).token()
    assert "no key" not in str(told.value)


def test_without_pyjwt_the_extra_is_named(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jwt", None)
    with pytest.raises(SourceUnavailable, match=r"ops-orchestrate\[github-app\]"):
        _app(server, Clock()).token()


def test_the_settings_choose_who_we_are(tmp_path: Any) -> None:
    def chosen(**settings: str) -> object:
        return identity_of(Settings(data_dir=tmp_path, **settings), Known())

    assert isinstance(chosen(), TokenIdentity)
    assert isinstance(chosen(github_app_id="1", github_app_installation="2"), AppIdentity)
    for half in (
        {"github_app_id": "1"},
        {"github_app_installation": "2"},
        {"github_app_id": "1", "github_app_installation": "../x"},
    ):
        with pytest.raises(UsageError, match="OPS_GITHUB_APP_INSTALLATION"):
            chosen(**half)


@pytest.mark.parametrize("name", [TOKEN_NAME, READ_TOKEN])
def test_two_tokens_have_two_names_that_give_none_away(name: str) -> None:
    """What is kept over restarts is kept by that name: one token's answers are not another's."""
    first, second = (TokenIdentity(Known(**{name: token}), name).name() for token in ("t0ken-1", "t0ken-2"))
    assert first != second
    assert "t0ken" not in first + second


@pytest.mark.parametrize(
    ("pool", "held", "sent"),
    [
        ("audit", {READ_TOKEN: "reads", TOKEN_NAME: "merges"}, "reads"),
        ("agent", {READ_TOKEN: "reads"}, "reads"),
        ("audit", {TOKEN_NAME: "merges"}, "merges"),
        ("ship", {READ_TOKEN: "reads", TOKEN_NAME: "merges"}, "merges"),
        ("", {READ_TOKEN: "reads", TOKEN_NAME: "merges"}, "merges"),
    ],
)
def test_pools_that_only_look_use_the_token_that_only_reads(
    tmp_path: Any, pool: Any, held: dict[str, str], sent: str
) -> None:
    assert identity_of(Settings(data_dir=tmp_path, pool=pool), Known(**held)).token() == sent
