"""The registry file: both schemas, the shapes people write, and what has happened to such files."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.names import is_name
from ops_orchestrate.core.registry import parse_registry
from ops_orchestrate.errors import RegistryError
from tests.core.registries import parsed, refused

TEMPLATE = {
    "version": "1.0",
    "owner": "Ada",
    "projects": [
        {
            "alias": "my-app",
            "paths": ["~/Projects/my-app"],
            "repos": ["your-org/my-app"],
            "org": "your-org",
            "type": "monorepo",
            "infra": {"platform": "vercel"},
            "revenue": {"model": "saas", "stage": "growth"},
            "gsd": True,
            "priority": 1,
        },
        {"alias": "store", "source": "shopify", "type": "external", "priority": 3},
        {"alias": "eng", "source": "linear", "type": "external", "linear": {"team_key": "ENG"}},
    ],
}
SYNCED = {
    "updated": "2026-11-22T10:40:30Z",
    "projects": [
        {
            "name": "alpha",
            "path": "/home/u/Projects/alpha/",
            "source": "Projects",
            "remote_url": "https://x-access-token:ghp_sEcReT@github.com/your-org/alpha.git",
            "last_commit_ts": 1795344030,
            "phase": "",
            "remaining_tasks": "0",
            "has_git": True,
            "has_roadmap": True,
            "aliases": ["/home/u/old/alpha"],
        },
        {
            "name": "beta",
            "path": "/home/u/work/beta/main",
            "source": "external",
            "remote_url": "",
            "aliases": [],
        },
    ],
    "total": 2,
}


def test_the_template_schema() -> None:
    app, store, eng = parsed(TEMPLATE).entries
    assert (app.alias, app.alias_written, app.paths, app.slugs) == (
        "my-app", True, ("~/Projects/my-app",), ("your-org/my-app",)
    )  # fmt: skip
    assert (app.priority, app.stage, app.planning, app.external) == (1, "growth", True, False)
    assert store.external and not store.issues_only
    assert eng.external and eng.issues_only and eng.settings.linear_team == "ENG"
    assert eng.priority == 99


def test_the_synced_schema() -> None:
    alpha, beta = parsed(SYNCED).entries
    assert (alpha.alias, alpha.alias_written) == ("alpha", False)
    assert alpha.paths == ("/home/u/Projects/alpha/",)
    assert alpha.checkouts == ("/home/u/old/alpha",)
    assert alpha.slugs == ("your-org/alpha",)
    assert alpha.planning and not alpha.external
    assert (beta.alias, beta.external, beta.slugs) == ("beta", False, ())


def test_b18_credentials_of_a_remote_are_not_kept() -> None:
    file = parsed(SYNCED)
    assert file.entries[0].remote_url == "https://github.com/your-org/alpha.git"
    assert "ghp_sEcReT" not in file.model_dump_json()


@pytest.mark.parametrize(
    ("document", "aliases"),
    [
        ({"projects": {"one": {"path": "/a"}, "two": "/b"}}, ["one", "two"]),
        ([{"alias": "one", "paths": ["/a"]}], ["one"]),
        (["/srv/one", "~/two"], ["one", "two"]),
        ({"path": "/srv/one"}, ["one"]),
        ({"projects": []}, []),
        ({}, []),
        ([], []),
    ],
)
def test_shapes_that_are_tolerated(document: Any, aliases: list[str]) -> None:
    assert [entry.alias for entry in parsed(document).entries] == aliases


@pytest.mark.parametrize(
    ("entry", "alias"),
    [
        ({"remote_url": "git@github.com:o/app.git", "path": "/x/y", "name": "n"}, "app"),
        ({"path": "/x/web/main/", "name": "n"}, "web"),
        ({"path": "/x/main"}, "x"),
        ({"path": "/", "name": "My Thing"}, "my-thing"),
        ({"path": "/"}, "proj1"),
        ({"path": "/x/über app"}, "uber-app"),
    ],
)
def test_an_alias_that_nobody_wrote_is_derived(entry: dict[str, Any], alias: str) -> None:
    assert parsed([entry]).entries[0].alias == alias


@pytest.mark.parametrize("text", [b"", b" \n", b"null"])
def test_a2_an_empty_file_is_an_error(text: bytes) -> None:
    refused(text)


@pytest.mark.parametrize(
    "document", [3, "x", True, {"projects": 3}, {"projects": None}, {"version": "1.0"}, [3], [None]]
)
def test_a2_a_file_without_a_list_of_projects_is_an_error(document: Any) -> None:
    refused(json.dumps(document).encode())


def test_a3_a_truncated_file_is_an_error_that_says_so() -> None:
    whole = json.dumps(TEMPLATE, indent=1).encode()
    assert "cut off" in refused(whole[:-2])
    for cut in range(1, len(whole) - 1, 7):
        refused(whole[:cut])


def test_a4_a_byte_order_mark_and_utf_16_are_read() -> None:
    text = json.dumps(TEMPLATE, ensure_ascii=False)
    for encoding in ("utf-8-sig", "utf-16"):
        assert len(parse_registry(text.encode(encoding), origin="reg.json").entries) == 3


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b'{"projects": [\x00]}', "NUL"),
        ('{"projects": []}'.encode("utf-16-le"), "NUL"),
        (b'\xff\xfe{\x00"\x00\x00\x00', "NUL"),
        (b'{"projects": ["\xff"]}', "UTF-8"),
        (b'{"projects": ["\\ud800"]}', "surrogate"),
        (b"[" * 100_000, "nested"),
        (b"[NaN]", "NaN"),
        (b"[" + b"9" * 5000 + b"]", "number"),
    ],
)
def test_a4_damaged_text_is_an_error(data: bytes, word: str) -> None:
    assert word in refused(data)


def test_a5_equal_aliases_that_people_wrote_are_an_error() -> None:
    for second in ("app", "App"):
        text = refused(json.dumps([{"alias": "app", "path": "/a"}, {"alias": second, "path": "/b"}]).encode())
        assert "alias" in text and second in text


def test_a5_equal_aliases_that_were_derived_are_numbered() -> None:
    entries = parsed([{"path": "/a/app"}, {"path": "/b/app"}, {"alias": "app", "path": "/c"}, {"path": "/d/app"}])
    assert [one.alias for one in entries.entries] == ["app-2", "app-3", "app", "app-4"]


@pytest.mark.parametrize(
    "text",
    [
        '{"projects": [], "projects": []}',
        '[{"alias": "shop", "path": "/a", "path": "/b"}]',
        '[{"alias": "shop", "paths": [], "ops": {"gate": "true", "gate": "false"}}]',
    ],
)
def test_a6_a_key_twice_is_an_error(text: str) -> None:
    assert "twice" in refused(text.encode())


def test_a13_ten_thousand_projects() -> None:
    document = [{"path": f"/srv/{number % 5000}/app{number % 5000}"} for number in range(10_000)]
    aliases = [one.alias for one in parsed(document).entries]
    assert len(set(aliases)) == 10_000


KEYS = [
    *(
        "alias",
        "paths",
        "path",
        "repos",
        "ops",
        "name",
        "aliases",
        "remote_url",
        "gate",
        "revenue",
        "priority",
    ),
    *("projects", "source", "type", "linear", "consumes", "integration", "gsd", "phase"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.text() | st.sampled_from(KEYS), inner),
    max_leaves=12,
)  # fmt: skip


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_law_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        parse_registry(data, origin="reg.json")
    except RegistryError as error:
        assert str(error).isprintable()


@given(JSON)
def test_law_any_json_is_read_or_refused_and_aliases_are_names(document: Any) -> None:
    try:
        file = parse_registry(json.dumps(document).encode(), origin="reg.json")
    except RegistryError as error:
        assert str(error).isprintable()
        return
    aliases = [one.alias.casefold() for one in file.entries]
    assert len(set(aliases)) == len(aliases)
    assert all(is_name(one.alias) for one in file.entries)
