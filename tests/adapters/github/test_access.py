"""How git gets the token: for one host, in one process's environment, and nowhere else."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ops_orchestrate.adapters.github.access import GitHubAccess
from ops_orchestrate.adapters.github.address import read_address
from ops_orchestrate.adapters.github.auth import AppIdentity, TokenIdentity
from ops_orchestrate.adapters.workshop import GitWorkshop
from ops_orchestrate.config import Settings
from ops_orchestrate.errors import SourceUnavailable
from tests.adapters.github.scripted import TOKEN, Known
from tests.adapters.github.test_auth import PEM
from tests.builders import make_repository

BASIC = "Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()


def _access(url: str = "https://api.github.com", token: str = TOKEN) -> GitHubAccess:
    return GitHubAccess(read_address(url), TokenIdentity(Known(GITHUB_TOKEN=token) if token else Known()))


def test_the_token_goes_to_githubs_own_host() -> None:
    found = _access().environment("https://github.com/o/r.git")
    assert found["GIT_CONFIG_VALUE_1"] == f"Authorization: {BASIC}"
    assert found["GIT_CONFIG_KEY_1"] == "http.https://github.com/.extraHeader"
    assert "GIT_ALLOW_PROTOCOL" not in found


@pytest.mark.parametrize(
    "url",
    ["git@github.com:o/r.git", "ssh://git@github.com/o/r", "http://github.com/o/r", "https://github.com.evil.example/o/r",
     "https://gitlab.com/o/r", "/srv/git/r.git", "https://api.github.com/o/r", "https://github.com@evil.example/o/r"],
)  # fmt: skip
def test_nobody_else_gets_it(url: str) -> None:
    assert _access().environment(url) == {}


def test_without_a_token_git_goes_on_with_the_users_own_helpers() -> None:
    assert _access(token="").environment("https://github.com/o/r.git") == {}


@pytest.mark.parametrize("key", ["", PEM], ids=["no key", "no token for it"])
def test_in_the_place_of_an_app_without_a_token_nobody_acts(
    remote: tuple[str, list[str | None]], tmp_path: Path, key: str
) -> None:
    url, shown = remote
    secrets = Known(GITHUB_APP_KEY=key) if key else Known()
    app = AppIdentity(read_address(url), secrets, app="1", installation="2", timeout=5)
    access = GitHubAccess(read_address(url), app)
    assert access.environment("git@127.0.0.1:o/r.git") == {}
    workshop = GitWorkshop(tmp_path, Settings(data_dir=tmp_path), access)
    with pytest.raises(SourceUnavailable, match="not tried with your own credentials"):
        workshop.refresh(make_repository(upstream=f"{url}/o/r.git"))
    assert shown == []


@pytest.fixture
def remote() -> Iterator[tuple[str, list[str | None]]]:
    """A git host that lets nobody in, and what it was shown."""
    shown: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown.append(self.headers.get("authorization"))
            self.send_response(403)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}", shown
        http.shutdown()
        thread.join(60)


def test_a_mirror_shows_it_to_its_upstream_and_a_failure_does_not(
    remote: tuple[str, list[str | None]], tmp_path: Path
) -> None:
    url, shown = remote
    workshop = GitWorkshop(tmp_path, Settings(data_dir=tmp_path), _access(url))
    with pytest.raises(SourceUnavailable) as told:
        workshop.refresh(make_repository(upstream=f"{url}/o/r.git"))
    assert shown[0] == BASIC
    assert "403" in str(told.value)
    assert BASIC.split()[1] not in str(told.value)
    assert not any(BASIC.split()[1].encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_host_that_sends_git_elsewhere_does_not_send_it_there_with_the_token(
    remote: tuple[str, list[str | None]], tmp_path: Path
) -> None:
    """Git asks the new host for the branches without the header, and for everything after them with it."""
    elsewhere, shown = remote

    class Moved(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(301)
            self.send_header("location", elsewhere + self.path)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Moved) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{http.server_port}"
        workshop = GitWorkshop(tmp_path, Settings(data_dir=tmp_path), _access(url))
        with pytest.raises(SourceUnavailable, match="301; it has moved: set its new address"):
            workshop.refresh(make_repository(upstream=f"{url}/o/r.git"))
        http.shutdown()
        thread.join(60)
    assert shown == []
