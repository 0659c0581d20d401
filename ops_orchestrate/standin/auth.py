"""Who sends a request: a token, an app's JSON Web Token, or basic authentication as git sends it."""

from __future__ import annotations

import base64
import binascii

from ops_orchestrate.standin import jwt
from ops_orchestrate.standin.exchange import Refused
from ops_orchestrate.standin.people import ANONYMOUS, Identity
from ops_orchestrate.standin.world import World


def identify(world: World, authorization: str) -> Identity:
    """The identity behind an `Authorization` header. Raises Refused 401 for credentials that are not known."""
    scheme, _, secret = authorization.strip().partition(" ")
    secret = secret.strip()
    if not scheme:
        return ANONYMOUS
    if scheme.lower() == "basic":
        secret = _password(secret)
    elif scheme.lower() not in {"bearer", "token"}:
        raise Refused(401, "Bad credentials")
    if secret.count(".") == 2:
        return _app(world, secret)
    return _token(world, secret)


def _password(secret: str) -> str:
    try:
        user, _, password = base64.b64decode(secret).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return password if password not in {"", "x-oauth-basic"} else user


def _app(world: World, secret: str) -> Identity:
    name = jwt.issuer(secret)
    app = next((one for one in world.apps.values() if str(one.id) == name and one.public_key), None)
    if app is None:
        raise Refused(401, "A JSON web token could not be decoded")
    if jwt.claims(secret, app.public_key, world.now()) is None:
        raise Refused(401, "A JSON web token could not be decoded")
    return Identity(None, f"app:{app.id}", app=app)


def _token(world: World, secret: str) -> Identity:
    token = world.tokens.get(secret)
    if token is None or (token.expires is not None and token.expires <= world.now()):
        raise Refused(401, "Bad credentials")
    if token.installation is not None:
        key = f"installation:{token.installation.id}"
        return Identity(token.user, key, installation=token.installation, app=token.installation.app)
    return Identity(token.user, f"user:{token.user.login}")
