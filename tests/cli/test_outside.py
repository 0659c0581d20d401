"""What `doctor` and `projects --check` say of GitHub, Sentry and Linear: true, one line each, and never a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.cli.checkup import Check
from ops_orchestrate.cli.outside import examine_outside
from ops_orchestrate.config import Settings
from ops_orchestrate.core.project import IssueSource, Portfolio
from ops_orchestrate.standin.run import Standin
from tests.adapters.company import company
from tests.adapters.github.test_app import PUBLIC
from tests.adapters.github.test_auth import PEM
from tests.builders import make_portfolio, make_project, make_repository
from tests.cli.house import House, call
from tests.report.test_documents import problems
from tests.standins import linear as linears
from tests.standins import sentry as sentries

TOKEN = "ghp_" + "d4E5" * 9


@pytest.fixture(autouse=True)
def _nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No secret and no tool of whoever runs the tests."""
    for name in ("GITHUB_TOKEN", "SENTRY_AUTH_TOKEN", "LINEAR_API_KEY", "OPS_GITHUB_APP_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def on_github(*slugs: str) -> Portfolio:
    found = tuple(make_repository(slug.replace("/", "-"), slug=slug) for slug in slugs)
    return make_portfolio(make_project(repositories=found))


def asked(what: str, found: Portfolio, folder: Path, **kw: Any) -> list[Check]:
    """The lines on one place."""
    settings = Settings(data_dir=folder / "data", **kw)
    lines = [one for one in examine_outside(settings, found) if one.what.startswith(what)]
    assert not (folder / "data").exists(), "looking changes nothing"
    return lines


class TestGitHub:
    """By which token, as whom, and may it push?"""

    def test_a_registry_without_github_asks_nobody(self, tmp_path: Path) -> None:
        (line,) = asked("github", make_portfolio(), tmp_path, github_api_url="http://127.0.0.1:9")
        assert (line.state, line.found) == ("ok", "not asked: no repository of the registry is on GitHub")

    def test_without_a_token_it_says_where_one_was_looked_for(self, tmp_path: Path) -> None:
        (line,) = asked("github", on_github("acme/app", "acme/lib"), tmp_path)
        assert line.state == "warning"
        assert "GITHUB_TOKEN was not found (environment: not set; " in line.found
        assert "2 repositories there cannot be read or shipped" in line.found

    def test_each_repository_that_is_not_fine_has_its_line(
        self, github: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        github.control.add_user("bot", token=TOKEN)
        for name, level in {"app": "write", "lib": "read", "old": "write"}.items():
            github.control.add_repository(f"acme/{name}", files={"a": "b"}, organization=True)
            github.control.permit(f"acme/{name}", "bot", level)
        github.control.repository("acme/old").archived = True
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        found = on_github("acme/app", "acme/lib", "acme/none", "acme/old")
        whole, *rest = asked("github", found, tmp_path, github_api_url=github.url)
        assert (whole.state, whole.found) == (
            "ok",
            "we are bot (GITHUB_TOKEN from the environment), may push to 1 of 4",
        )
        limits = [one for one in rest if one.what == "github's limit"]
        assert [one.state for one in limits] == ["ok", "ok"]
        assert limits[0].found.endswith(" of 5000 points an hour are left for requests")
        scopes, reading, *each = [one for one in rest if one not in limits]
        assert (scopes.what, scopes.found) == ("github's token", "a classic one with repo, workflow")
        assert (reading.what, reading.state) == ("github's reading", "warning")
        assert "OPS_GITHUB_READ_TOKEN" in reading.remedy
        said = {one.what: one.found for one in each}
        assert said.keys() == {"github acme/lib", "github acme/none", "github acme/old"}
        assert "only read" in said["github acme/lib"]
        assert "does not show us" in said["github acme/none"]
        assert "archived" in said["github acme/old"]
        assert [one for one in github.control.journal.effects() if one.who == "bot"] == [], "nothing is written"

    def test_a_token_to_read_with_is_asked_whether_it_can_write(
        self, github: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reader = "ghp_" + "r3Ad" * 9
        github.control.add_user("bot", token=TOKEN)
        github.control.add_user("eyes", token=reader)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        for token, says in ((reader, "a classic token that can write, too (repo, workflow)"), ("ghp_" + "n0" * 18, "")):
            monkeypatch.setenv("OPS_GITHUB_READ_TOKEN", token)
            (line,) = asked("github's reading", on_github("acme/app"), tmp_path, github_api_url=github.url)
            assert (line.state, bool(line.remedy), token in line.found) == ("warning", True, False)
            assert says in line.found and "OPS_GITHUB_READ_TOKEN" in line.found

    def test_a_token_that_is_not_taken_and_a_limit_that_is_spent(
        self, github: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        github.control.add_user("bot", token=TOKEN)
        monkeypatch.setenv("GITHUB_TOKEN", "ghp_" + "x0Y1" * 9)
        (line,) = asked("github", on_github("acme/app"), tmp_path, github_api_url=github.url)
        assert line.state == "warning"
        assert "GitHub does not take our identity" in line.found
        assert "x0Y1" not in line.found
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        github.control.limit("bot", "core", left=40)
        lines = asked("github's limit", on_github("acme/app"), tmp_path, github_api_url=github.url)
        assert [(one.state, bool(one.remedy)) for one in lines] == [("warning", True), ("ok", False)]

    def test_an_app_is_named_and_asked_for_what_its_installation_may(
        self, github: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        github.control.add_repository("acme/app", files={"a": "b"}, organization=True)
        github.control.add_repository("else/lib", files={"a": "b"}, organization=True)
        app = github.control.add_app("ops", PUBLIC, {"issues": "read"})
        installed = github.control.install(app, "acme")
        monkeypatch.setenv("GITHUB_APP_KEY", PEM)
        ids = {"github_app_id": str(app.id), "github_app_installation": str(installed.id)}
        whole, *rest = asked("github", on_github("acme/app", "else/lib"), tmp_path, github_api_url=github.url, **ids)
        place = f"GitHub App {app.id}, GITHUB_APP_KEY from the environment"
        assert whole.found == f"we are ops[bot] ({place}), may push to 1 of 2"
        assert [one.what for one in rest if not one.what.startswith("github's ")] == ["github else/lib"]
        monkeypatch.delenv("GITHUB_APP_KEY")
        (line,) = asked("github", on_github("acme/app"), tmp_path, github_api_url=github.url, **ids)
        assert (line.state, "GITHUB_APP_KEY was not found" in line.found) == ("warning", True)

    def test_it_is_asked_through_the_networks_proxy(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        where = "https://git.acme.test/api/v3"
        with company(tmp_path) as network:
            (line,) = asked("github", on_github("acme/app"), tmp_path, github_api_url=where, https_proxy=network.proxy)
        assert (line.state, set(network.asked)) == ("warning", {"git.acme.test:443"})

    def test_half_an_app_is_a_problem(self, tmp_path: Path) -> None:
        (line,) = asked("github", on_github("acme/app"), tmp_path, github_app_id="7")
        assert line.state == "problem"
        assert "OPS_GITHUB_APP_INSTALLATION" in line.found


class TestTrackers:
    """Set up or not, answering or not."""

    @pytest.fixture
    def sentry(self) -> Iterator[sentries.SentryStandIn]:
        with sentries.sentry() as standin:
            yield standin

    @pytest.fixture
    def linear(self) -> Iterator[linears.LinearStandIn]:
        with linears.linear() as standin:
            yield standin

    def test_what_the_registry_does_not_name_is_not_asked(self, tmp_path: Path) -> None:
        for what, key in {"sentry": "sentry_project", "linear": "linear_team"}.items():
            (line,) = asked(what, make_portfolio(), tmp_path)
            assert (line.state, line.found) == ("ok", f"not asked: no entry of the registry has `{key}`")

    def test_what_is_not_set_up_is_a_warning(self, tmp_path: Path) -> None:
        found = make_portfolio(make_project(sentry_project="shop", linear_team="ENG"))
        assert "not set up: OPS_SENTRY_ORG" in asked("sentry", found, tmp_path)[0].found
        assert "SENTRY_AUTH_TOKEN was not found" in asked("sentry", found, tmp_path, sentry_org="acme")[0].found
        (line,) = asked("linear", found, tmp_path)
        assert (line.state, "LINEAR_API_KEY was not found" in line.found) == ("warning", True)

    def test_sentry_is_asked_about_each_project(
        self, sentry: sentries.SentryStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SENTRY_AUTH_TOKEN", sentries.TOKEN)
        found = make_portfolio(
            make_project(sentry_project="shop"), issue_sources=(IssueSource(alias="x", sentry_project="other"),)
        )
        where = {"sentry_org": "acme", "sentry_url": sentry.url}
        whole, line = asked("sentry", found, tmp_path, **where)
        assert (whole.state, whole.found) == ("ok", "answers, for 1 of 2 (sentry_project)")
        assert (line.what, line.state) == ("sentry other", "warning")
        monkeypatch.setenv("SENTRY_AUTH_TOKEN", "sntrys_wrong")
        (line,) = asked("sentry", found, tmp_path, **where)
        assert line.state == "warning"
        assert "sntrys_wrong" not in line.found

    def test_linear_is_asked_about_each_team(
        self, linear: linears.LinearStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LINEAR_API_KEY", linears.KEY)
        found = make_portfolio(make_project(linear_team="eng"), make_project("b", linear_team="GONE"))
        whole, line = asked("linear", found, tmp_path, linear_url=f"{linear.url}/graphql")
        assert (whole.state, whole.found) == ("ok", "answers, for 1 of 2 (linear_team)")
        assert (line.what, line.found) == ("linear GONE", "Linear shows us no team with the key GONE")

    def test_nobody_at_the_other_end_is_a_warning(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LINEAR_API_KEY", linears.KEY)
        found = make_portfolio(make_project(linear_team="ENG"))
        (line,) = asked("linear", found, tmp_path, linear_url="http://127.0.0.1:9/graphql")
        assert (line.state, bool(line.remedy)) == ("warning", True)


def test_the_verbs_say_it_and_their_documents_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House.build(monkeypatch, {"api": {"linear_team": "ENG"}})
    try:
        said = call("projects", "--check")
        assert said.code == 0
        assert "! linear: not set up: LINEAR_API_KEY was not found" in said.out
        assert "linear: " not in call("projects").out, "nobody is asked without --check"
        assert "! linear: not set up: " in call("doctor").out
        document = json.loads(call("projects", "--check", "--json").out)
        assert problems("projects", document) == []
        assert [one["what"] for one in document["checks"]] == ["github", "sentry", "linear"]
        monkeypatch.setenv("OPS_GITHUB_API_URL", "https://me:pw@git.test/api/v3")
        said = call("projects", "--check")
        assert said.code == 2
        assert "pw" not in said.out + said.err
    finally:
        house.close()
