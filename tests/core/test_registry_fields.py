"""The fields of a registry's entry: what each may hold, and how a wrong one is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.core.registries import one_entry, parsed, refused, refused_field


def test_a7_paths_of_the_wrong_kind_name_entry_and_field() -> None:
    for wrong in ("~/a", 3, {"a": 1}, [3], [["x"]], ["a\nb"]):
        assert "`paths`" in refused_field(paths=wrong)


def test_a7_empty_paths_are_kept_as_none() -> None:
    assert one_entry(paths=[]).paths == ()
    assert one_entry(paths=[None, "", "~/a"]).paths == ("~/a",)


@pytest.mark.parametrize(
    "slug", ["-o", "../x", "x", "a/b/c", "о/rеpo", "o/..", "o/r.git", "https://evil.test/o/r", "o/r;id"]
)
def test_a9_a_slug_that_is_none_names_entry_and_field(slug: str) -> None:
    assert "`repos`" in refused_field(repos=[slug])


def test_a9_none_and_urls_as_slugs() -> None:
    assert one_entry(repos=["none"]).slugs == ()
    assert one_entry(repos=["https://tok@github.com/o/r.git", "o/r", "git@github.com:o/s"]).slugs == ("o/r", "o/s")


def test_a10_a_gate_is_kept_as_it_is_written() -> None:
    for gate in ("make test; rm -rf x", "echo $(id)", "true"):
        assert one_entry(ops={"gate": gate}).settings.gate == gate


@pytest.mark.parametrize("gate", ["", "  ", "a\nb", "x" * 1_000_000, 3, ["a"], "a\x1b[2J"])
def test_a10_a_gate_that_is_no_line_names_entry_and_field(gate: Any) -> None:
    text = refused_field(ops={"gate": gate})
    assert "`ops.gate`" in text and len(text) < 400


@pytest.mark.parametrize("alias", ["", "my app", "-o", "../x", "аpp", "a/b", 3, "x" * 200])
def test_an_alias_that_is_no_name_is_an_error(alias: Any) -> None:
    assert "alias" in refused(json.dumps([{"alias": alias, "path": "/a"}]).encode())


@pytest.mark.parametrize("priority", [0, 100, "1", 1.5, True, []])
def test_a_priority_is_1_to_99(priority: Any) -> None:
    assert "`priority`" in refused_field(priority=priority)


def test_a_priority_too_large_for_a_number_is_refused() -> None:
    assert "`priority`" in refused(b'[{"alias": "shop", "path": "/a", "priority": 1e999}]')


def test_settings_of_the_owner() -> None:
    said = {
        "integration": "develop", "main": "trunk", "gate": "make check", "gate_seconds": 60,
        "gate_network": True, "gate_hosts": ["pypi.org", "*.npmjs.org"], "ci": "none", "sensitive": ["src/pay/**"],
        "expected_checks": ["ci"], "skippable_checks": ["docs"],
        "health_url": "https://x.test/health", "version_url": "https://x.test/v", "promote": False,
        "linear_team": "ENG", "sentry_project": "shop", "day_usd": 2.5, "day_tokens": 1000,
        "repos": {"web": {"gate": "npm test"}},
    }  # fmt: skip
    settings = one_entry(ops=said).settings
    common = settings.for_repository("api")
    assert common["gate"] == "make check" and common["promote"] is False and common["sensitive"] == ("src/pay/**",)
    assert settings.for_repository("web")["gate"] == "npm test"
    assert settings.for_repository("web")["integration"] == "develop"
    assert (settings.linear_team, settings.sentry_project) == ("ENG", "shop")
    assert (settings.day_usd, settings.day_tokens) == (2.5, 1000)


@pytest.mark.parametrize(
    ("ops", "field", "hint"),
    [
        ({"gaet": "x"}, "ops.gaet", '"gate"'),
        ({"day_usd": 0}, "ops.day_usd", "more than 0"),
        ({"day_usd": "5"}, "ops.day_usd", "dollars"),
        ({"day_tokens": 1.5}, "ops.day_tokens", "whole number"),
        ({"quality_gate": "x"}, "ops.quality_gate", '"gate"'),
        ({"zzz": 1}, "ops.zzz", "not a known key"),
        ([], "ops", "must be an object"),
        ("make", "ops", "must be an object"),
        ({"integration": "-x"}, "ops.integration", "branch"),
        ({"integration": "+main"}, "ops.integration", "branch"),
        ({"main": 3}, "ops.main", "string"),
        ({"gate_seconds": "60"}, "ops.gate_seconds", "2400"),
        ({"gate_seconds": 0}, "ops.gate_seconds", "2400"),
        ({"gate_network": "yes"}, "ops.gate_network", "true or false"),
        ({"gate_hosts": "pypi.org"}, "ops.gate_hosts", "list"),
        ({"gate_hosts": ["127.0.0.1"]}, "ops.gate_hosts", "not the name of a host"),
        ({"ci": "maybe"}, "ops.ci", "expected"),
        ({"ci": []}, "ops.ci", "expected"),
        ({"sensitive": "src/**"}, "ops.sensitive", "list"),
        ({"health_url": "file:///etc/passwd"}, "ops.health_url", "http"),
        ({"health_url": "http://[x"}, "ops.health_url", "http"),
        ({"version_url": "https://u:p@x.test/"}, "ops.version_url", "credentials"),
        ({"promote": 1}, "ops.promote", "true or false"),
        ({"consumes": ["shop"]}, "ops.consumes", "itself"),
        ({"consumes": ["nobody"]}, "ops.consumes", "no alias"),
        ({"repos": []}, "ops.repos", "object"),
        ({"repos": {"web": {"gates": "x"}}}, "ops.repos.web.gates", '"gate"'),
        ({"repos": {"web": {"consumes": []}}}, "ops.repos.web.consumes", "known"),
    ],
)
def test_impossible_settings_name_entry_and_field(ops: Any, field: str, hint: str) -> None:
    text = refused_field(ops=ops)
    assert f"`{field}`" in text and hint in text


def test_consumes_suggests_the_nearest_alias() -> None:
    document = [
        {"alias": "shop-api", "path": "/a"},
        {"alias": "web", "path": "/b", "ops": {"consumes": ["shop-ap"]}},
    ]
    assert 'Did you mean "shop-api"?' in refused(json.dumps(document).encode())


def test_a_setting_beside_ops_is_warned_about() -> None:
    file = parsed([{"alias": "a", "path": "/a", "gate": "make"}])
    assert file.entries[0].settings.gate is None
    assert file.warnings == ('reg.json: project "a": `gate` is only read under "ops".',)


def test_no_message_shows_a_secret() -> None:
    assert "ghp_x" not in refused_field(repos=["https://ghp_x@evil.test/o/r"])
    assert "pw" not in refused_field(ops={"health_url": "https://me:pw@x.test"})
