"""Apps, forks, renamed and archived repositories, and the control side over HTTP."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from ops_orchestrate.standin.control_http import METHODS
from ops_orchestrate.standin.control_work import Control
from tests.standin.scene import PATIENCE, REPO, Scene


def openssl(*args: str, data: bytes = b"") -> bytes:
    """Run openssl, which makes the keys and signatures here: the stand-in itself only verifies."""
    return subprocess.run(["openssl", *args], input=data, capture_output=True, check=True).stdout


def token(key: Path, issuer: int, now: float, life: float = 300) -> str:
    """An app's JSON Web Token."""
    parts = [{"alg": "RS256", "typ": "JWT"}, {"iss": str(issuer), "iat": int(now), "exp": int(now + life)}]
    text = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    signature = openssl("dgst", "-sha256", "-sign", str(key), data=text.encode())
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here: it makes the keys")
    path = tmp_path_factory.mktemp("key") / "app.pem"
    openssl("genrsa", "-out", str(path), "2048")
    return path


def test_an_app_buys_a_token_for_an_hour(scene: Scene, key: Path) -> None:
    app = scene.control.add_app("ops", openssl("rsa", "-in", str(key), "-pubout").decode())
    installation = scene.control.install(app, "acme")
    good = {"Authorization": f"Bearer {token(key, app.id, time.time())}"}
    with httpx.Client(base_url=scene.standin.url, timeout=PATIENCE) as client:
        assert client.get("/app", headers=good).json()["slug"] == "ops"
        found = client.get(f"/repos/{REPO}/installation", headers=good).json()
        assert found["id"] == installation.id
        bought = client.post(f"/app/installations/{installation.id}/access_tokens", headers=good)
        assert bought.status_code == 201
        acts = {"Authorization": f"token {bought.json()['token']}"}
        # The permissions of a repository's answer are a person's: an App is told no, whatever it may do.
        assert not any(client.get(f"/repos/{REPO}", headers=acts).json()["permissions"].values())
        assert client.get("/user", headers=acts).status_code == 403
        scene.control.skip(3601)
        assert client.get(f"/repos/{REPO}", headers=acts).status_code == 401


def test_an_installation_on_some_repositories_buys_a_token_for_no_other(scene: Scene, key: Path) -> None:
    scene.control.add_repository("acme/lib", files={"a.txt": "a\n"})
    app = scene.control.add_app("ops", openssl("rsa", "-in", str(key), "-pubout").decode())
    url = f"{scene.standin.url}/app/installations/{scene.control.install(app, 'acme', [REPO]).id}/access_tokens"
    good = {"Authorization": f"Bearer {token(key, app.id, time.time())}"}
    codes = [
        httpx.post(url, headers=good, json={"repositories": [name]}, timeout=PATIENCE).status_code
        for name in ("app", "lib", "no")
    ]
    assert codes == [201, 422, 422]


def test_a_token_of_another_key_or_of_another_time_is_refused(scene: Scene, key: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    openssl("genrsa", "-out", str(other), "2048")
    app = scene.control.add_app("ops", openssl("rsa", "-in", str(key), "-pubout").decode())
    now = time.time()
    wrong = [token(other, app.id, now), token(key, app.id, now - 600), token(key, app.id, now, 3600), "a.b.c"]
    for one in wrong:
        answer = httpx.get(f"{scene.standin.url}/app", headers={"Authorization": f"Bearer {one}"}, timeout=PATIENCE)
        assert answer.status_code == 401


def test_a_renamed_repository_redirects_and_a_deleted_one_is_404(scene: Scene) -> None:
    scene.control.rename(REPO, "acme/new")
    moved = scene.ask("GET", f"/repos/{REPO}")
    assert moved.status_code == 301
    with scene.client() as client:
        assert client.get(moved.headers["location"]).json()["full_name"] == "acme/new"
        assert client.get(f"/repos/{REPO}/branches", follow_redirects=True).status_code == 200
        assert client.post(f"/repos/{REPO}/issues", json={"title": "x"}).status_code == 307
    scene.control.delete("acme/new")
    assert scene.ask("GET", "/repos/acme/new").status_code == 404
    answer = scene.graphql('{repository(owner:"acme",name:"new"){id}}')
    assert (answer["data"], answer["errors"][0]["type"]) == ({"repository": None}, "NOT_FOUND")


def test_an_archived_repository_can_only_be_read(scene: Scene) -> None:
    scene.control.change_repository(REPO, archived=True)
    assert scene.ask("GET", f"/repos/{REPO}").json()["archived"] is True
    assert scene.ask("POST", "issues", title="x").status_code == 403


def test_a_pull_request_from_a_fork(scene: Scene) -> None:
    scene.control.add_repository("stranger/app", parent=REPO)
    scene.control.push("stranger/app", "patch", {"p.txt": "p\n"}, by="stranger")
    pull = scene.control.open_pull(REPO, "patch", "main", by="stranger", fork="stranger/app")
    query = """{repository(owner:"acme",name:"app"){pullRequest(number:1){isCrossRepository authorAssociation
        headRepository{nameWithOwner} files(first:5){nodes{path}}}}}"""
    assert scene.graphql(query)["data"]["repository"]["pullRequest"] == {
        "isCrossRepository": True,
        "authorAssociation": "NONE",
        "headRepository": {"nameWithOwner": "stranger/app"},
        "files": {"nodes": [{"path": "p.txt"}]},
    }
    scene.control.delete_branch("stranger/app", "patch")
    assert scene.ask("GET", f"pulls/{pull.number}").json()["state"] == "closed"


def test_bad_credentials_and_nobody(scene: Scene) -> None:
    assert (
        httpx.get(f"{scene.standin.url}/user", headers={"Authorization": "token wrong"}, timeout=PATIENCE).status_code
        == 401
    )
    assert httpx.get(f"{scene.standin.url}/repos/{REPO}", timeout=PATIENCE).status_code == 404
    assert httpx.get(f"{scene.standin.url}/no/such/route", timeout=PATIENCE).status_code == 404


def test_the_control_side_over_http(scene: Scene) -> None:
    def control(name: str, /, **arguments: object) -> httpx.Response:
        return httpx.post(f"{scene.standin.url}/_control/{name}", json=arguments, timeout=PATIENCE)

    assert (
        control("add_repository", name="acme/lib", files={"a.txt": "a\n"}).json()["result"]["full_name"] == "acme/lib"
    )
    assert control("permit", name="acme/lib", login="bot", level="write").status_code == 200
    rule = {"path": "b.txt", "contains": "bug"}
    assert control("ci", name="acme/lib", jobs=[{"name": "test", "result": rule, "hold": True}]).status_code == 200
    sha = control("push", name="acme/lib", branch="feature", files={"b.txt": "a bug\n"}).json()["result"]
    assert [one["job"] for one in httpx.get(f"{scene.standin.url}/_control/pending", timeout=PATIENCE).json()] == [
        "test"
    ]
    assert control("release", name="acme/lib").json() == {"result": 1}
    runs = scene.ask("GET", f"/repos/acme/lib/commits/{sha}/check-runs").json()["check_runs"]
    assert [run["conclusion"] for run in runs] == ["failure"]
    blocker = control("issue", name="acme/lib", title="First").json()["result"]["number"]
    assert control("issue", name="acme/lib", title="Second", blocked_by=[f"acme/lib#{blocker}"]).status_code == 200
    waits = scene.ask("GET", "/repos/acme/lib/issues/2/dependencies/blocked_by").json()
    assert [one["title"] for one in waits] == ["First"]
    assert control("settle").json() == {"result": True}
    journal = httpx.get(f"{scene.standin.url}/_control/journal?since=0", timeout=PATIENCE).json()
    assert {"push", "run-started", "check", "issue-opened"} <= {one["what"] for one in journal}
    ready = control("open_pull", name="acme/lib", head="feature", base="main").json()["result"]["number"]
    wrong = [
        control("permit", name="acme/lib", login="bot", level="king"),
        control("push", name="acme/none", branch="x"),
        control("auto_merge", name="acme/lib", number=ready, by="bot"),  # what GitHub itself would refuse
    ]
    assert [(one.status_code, "error" in one.json()) for one in wrong] == [(400, True)] * 3


def test_every_control_is_there_and_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "github-standin.md").read_text(encoding="utf-8")
    assert not [name for name in METHODS if not callable(getattr(Control, name, None)) or f"`{name}" not in page]
