"""GitHub Apps: an app's JSON Web Token buys an installation's token for an hour."""

from __future__ import annotations

from ops_orchestrate.standin.call import Call, paged, route
from ops_orchestrate.standin.exchange import Refused, Reply, not_found
from ops_orchestrate.standin.people import App, Installation, Token
from ops_orchestrate.standin.rest import shape


def _app(call: Call) -> App:
    if call.who.app is None or call.who.installation is not None:
        raise Refused(401, "A JSON web token could not be decoded")
    return call.who.app


def _installations(call: Call) -> list[Installation]:
    return [one for one in call.world.installations.values() if one.app is _app(call)]


def _installation(call: Call) -> Installation:
    found = call.world.installations.get(call.number("id"))
    if found is None or found.app is not _app(call):
        raise not_found()
    return found


@route("GET", "/app", needs="none")
def get_app(call: Call) -> Reply:
    """The app itself."""
    return Reply(200, {**shape.app(call.links, _app(call)), "installations_count": len(_installations(call))})


@route("GET", "/app/installations", needs="none")
def list_installations(call: Call) -> Reply:
    """Where it is installed."""
    page, headers = paged(call, _installations(call))
    return Reply(200, [_shape(call, one) for one in page], headers)


@route("GET", "/repos/{owner}/{repo}/installation", needs="none")
def installation_of_repository(call: Call) -> Reply:
    """The installation that covers a repository."""
    for one in _installations(call):
        if one.covers(call.repo):
            return Reply(200, _shape(call, one))
    raise not_found()


def _shape(call: Call, one: Installation) -> shape.JSON:
    url, at = f"{call.links.api}/app/installations/{one.id}", shape.iso(0.0)
    return {
        "id": one.id, "account": shape.user(call.links, one.account), "app_id": one.app.id, "app_slug": one.app.slug,
        "repository_selection": _selection(one), "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{call.links.api}/installation/repositories", "html_url": f"{call.links.html}/settings",
        "target_id": one.account.id, "target_type": one.account.kind, "permissions": dict(one.permissions),
        "events": [], "single_file_name": None, "created_at": at, "updated_at": at,
        "suspended_at": None, "suspended_by": None,
    }  # fmt: skip


def _selection(one: Installation) -> str:
    return "all" if one.repositories is None else "selected"


@route("POST", "/app/installations/{id}/access_tokens", needs="none")
def create_token(call: Call) -> Reply:
    """A token for an hour, for fewer repositories where the body says so."""
    one, names = _installation(call), call.json().get("repositories")
    if names is not None:
        chosen = frozenset(f"{one.account.login}/{name}" for name in names)
        known = [call.world.find(name) for name in chosen]
        if not all(repository and one.covers(repository) for repository in known):
            raise Refused(422, "There is at least one repository that does not exist or is not accessible")
        one = Installation(one.id, one.app, one.account, chosen, one.permissions)
    number, expires = call.world.next_id(), call.world.now() + 3600
    secret = f"ghs_standin{number:029d}"
    call.world.tokens[secret] = Token(call.world.bot_of(one.app), one, expires)
    call.world.journal.add(call.world.now(), "effect", call.who.login, "token", installation=one.id)
    body = {"token": secret, "expires_at": shape.iso(expires), "permissions": dict(one.permissions)}
    return Reply(201, {**body, "repository_selection": _selection(one)})
