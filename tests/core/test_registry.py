"""The registry file: both schemas, what people write into it, and what has happened to such files."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.names import is_name
from ops_orchestrate.core.registry import Entry, RegistryFile, parse_registry
from ops_orchestrate.core.remote import read_remote, strip_credentials
from ops_orchestrate.errors import RegistryError

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


def _parse(document: Any) -> RegistryFile:
    return parse_registry(json.dumps(document).encode(), origin="reg.json")


def _one(**fields: Any) -> Entry:
    return _parse({"projects": [{"alias": "a", "paths": ["~/a"], **fields}]}).entries[0]


def _error(data: bytes) -> str:
    with pytest.raises(RegistryError) as caught:
        parse_registry(data, origin="reg.json")
    assert "reg.json" in str(caught.value)
    return str(caught.value)


def _field_error(**fields: Any) -> str:
    text = _error(json.dumps({"projects": [{"alias": "shop", "paths": ["~/a"], **fields}]}).encode())
    assert 'project "shop"' in text
    return text


def test_the_template_schema() -> None:
    app, store, eng = _parse(TEMPLATE).entries
    assert (app.alias, app.alias_written, app.paths, app.slugs) == (
        "my-app", True, ("~/Projects/my-app",), ("your-org/my-app",)
    )  # fmt: skip
    assert (app.priority, app.stage, app.planning, app.external) == (1, "growth", True, False)
    assert store.external and not store.issues_only
    assert eng.external and eng.issues_only and eng.settings.linear_team == "ENG"
    assert eng.priority == 99


def test_the_synced_schema() -> None:
    alpha, beta = _parse(SYNCED).entries
    assert (alpha.alias, alpha.alias_written) == ("alpha", False)
    assert alpha.paths == ("/home/u/Projects/alpha/",)
    assert alpha.checkouts == ("/home/u/old/alpha",)
    assert alpha.slugs == ("your-org/alpha",)
    assert alpha.planning and not alpha.external
    assert (beta.alias, beta.external, beta.slugs) == ("beta", False, ())


def test_b18_credentials_of_a_remote_are_not_kept() -> None:
    file = _parse(SYNCED)
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
    assert [entry.alias for entry in _parse(document).entries] == aliases


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
    assert _parse([entry]).entries[0].alias == alias


@pytest.mark.parametrize("text", [b"", b" \n", b"null"])
def test_a2_an_empty_file_is_an_error(text: bytes) -> None:
    _error(text)


@pytest.mark.parametrize(
    "document", [3, "x", True, {"projects": 3}, {"projects": None}, {"version": "1.0"}, [3], [None]]
)
def test_a2_a_file_without_a_list_of_projects_is_an_error(document: Any) -> None:
    _error(json.dumps(document).encode())


def test_a3_a_truncated_file_is_an_error_that_says_so() -> None:
    whole = json.dumps(TEMPLATE, indent=1).encode()
    assert "cut off" in _error(whole[:-2])
    for cut in range(1, len(whole) - 1, 7):
        _error(whole[:cut])


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
    assert word in _error(data)


def test_a5_equal_aliases_that_people_wrote_are_an_error() -> None:
    for second in ("app", "App"):
        text = _error(json.dumps([{"alias": "app", "path": "/a"}, {"alias": second, "path": "/b"}]).encode())
        assert "alias" in text and second in text


def test_a5_equal_aliases_that_were_derived_are_numbered() -> None:
    entries = _parse([{"path": "/a/app"}, {"path": "/b/app"}, {"alias": "app", "path": "/c"}, {"path": "/d/app"}])
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
    assert "twice" in _error(text.encode())


def test_a7_paths_of_the_wrong_kind_name_entry_and_field() -> None:
    for wrong in ("~/a", 3, {"a": 1}, [3], [["x"]], ["a\nb"]):
        assert "`paths`" in _field_error(paths=wrong)


def test_a7_empty_paths_are_kept_as_none() -> None:
    assert _one(paths=[]).paths == ()
    assert _one(paths=[None, "", "~/a"]).paths == ("~/a",)


@pytest.mark.parametrize(
    "slug", ["-o", "../x", "x", "a/b/c", "о/rеpo", "o/..", "o/r.git", "https://evil.test/o/r", "o/r;id"]
)
def test_a9_a_slug_that_is_none_names_entry_and_field(slug: str) -> None:
    assert "`repos`" in _field_error(repos=[slug])


def test_a9_none_and_urls_as_slugs() -> None:
    assert _one(repos=["none"]).slugs == ()
    assert _one(repos=["https://tok@github.com/o/r.git", "o/r", "git@github.com:o/s"]).slugs == ("o/r", "o/s")


def test_a10_a_gate_is_kept_as_it_is_written() -> None:
    for gate in ("make test; rm -rf x", "echo $(id)", "true"):
        assert _one(ops={"gate": gate}).settings.gate == gate


@pytest.mark.parametrize("gate", ["", "  ", "a\nb", "x" * 1_000_000, 3, ["a"], "a\x1b[2J"])
def test_a10_a_gate_that_is_no_line_names_entry_and_field(gate: Any) -> None:
    text = _field_error(ops={"gate": gate})
    assert "`ops.gate`" in text and len(text) < 400


def test_a13_ten_thousand_projects() -> None:
    document = [{"path": f"/srv/{number % 5000}/app{number % 5000}"} for number in range(10_000)]
    aliases = [one.alias for one in _parse(document).entries]
    assert len(set(aliases)) == 10_000


@pytest.mark.parametrize("alias", ["", "my app", "-o", "../x", "аpp", "a/b", 3, "x" * 200])
def test_an_alias_that_is_no_name_is_an_error(alias: Any) -> None:
    assert "alias" in _error(json.dumps([{"alias": alias, "path": "/a"}]).encode())


@pytest.mark.parametrize("priority", [0, 100, "1", 1.5, True, []])
def test_a_priority_is_1_to_99(priority: Any) -> None:
    assert "`priority`" in _field_error(priority=priority)


def test_a_priority_too_large_for_a_number_is_refused() -> None:
    assert "`priority`" in _error(b'[{"alias": "shop", "path": "/a", "priority": 1e999}]')


def test_settings_of_the_owner() -> None:
    said = {
        "integration": "develop", "main": "trunk", "gate": "make check", "gate_seconds": 60,
        "gate_network": True, "ci": "none", "sensitive": ["src/pay/**"],
        "expected_checks": ["ci"], "skippable_checks": ["docs"],
        "health_url": "https://x.test/health", "version_url": "https://x.test/v", "promote": False,
        "linear_team": "ENG", "sentry_project": "shop", "repos": {"web": {"gate": "npm test"}},
    }  # fmt: skip
    settings = _one(ops=said).settings
    common = settings.for_repository("api")
    assert common["gate"] == "make check" and common["promote"] is False and common["sensitive"] == ("src/pay/**",)
    assert settings.for_repository("web")["gate"] == "npm test"
    assert settings.for_repository("web")["integration"] == "develop"
    assert (settings.linear_team, settings.sentry_project) == ("ENG", "shop")


@pytest.mark.parametrize(
    ("ops", "field", "hint"),
    [
        ({"gaet": "x"}, "ops.gaet", '"gate"'),
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
    text = _field_error(ops=ops)
    assert f"`{field}`" in text and hint in text


def test_consumes_suggests_the_nearest_alias() -> None:
    document = [
        {"alias": "shop-api", "path": "/a"},
        {"alias": "web", "path": "/b", "ops": {"consumes": ["shop-ap"]}},
    ]
    assert 'Did you mean "shop-api"?' in _error(json.dumps(document).encode())


def test_a_setting_beside_ops_is_warned_about() -> None:
    file = _parse([{"alias": "a", "path": "/a", "gate": "make"}])
    assert file.entries[0].settings.gate is None
    assert file.warnings == ('reg.json: project "a": `gate` is only read under "ops".',)


def test_no_message_shows_a_secret() -> None:
    assert "ghp_x" not in _field_error(repos=["https://ghp_x@evil.test/o/r"])
    assert "pw" not in _field_error(ops={"health_url": "https://me:pw@x.test"})


@pytest.mark.parametrize(
    ("text", "url", "identity", "slug"),
    [
        ("https://github.com/O/r.git", "https://github.com/O/r.git", "github.com/o/r", "O/r"),
        ("https://u:p@github.com/o/r/", "https://github.com/o/r/", "github.com/o/r", "o/r"),
        ("git@github.com:o/r.git", "git@github.com:o/r.git", "github.com/o/r", "o/r"),
        (
            "ssh://git@ssh.github.com:443/o/r.git",
            "ssh://git@ssh.github.com:443/o/r.git",
            "github.com/o/r",
            "o/r",
        ),
        ("ssh://git:pw@host/o/r", "ssh://git@host/o/r", "host/o/r", None),
        ("git@github-work:o/r.git", "git@github-work:o/r.git", "github.com/o/r", "o/r"),
        (
            "git@github.company.test:o/r.git",
            "git@github.company.test:o/r.git",
            "github.company.test/o/r",
            None,
        ),
        ("https://git.test/A/b.git", "https://git.test/A/b.git", "git.test/A/b", None),
        ("file:///srv/x.git", "/srv/x.git", "/srv/x.git", None),
        ("/srv/x/.git", "/srv/x/.git", "/srv/x", None),
        ("../up.git", "../up.git", "../up.git", None),
    ],
)
def test_remotes(text: str, url: str, identity: str, slug: str | None) -> None:
    remote = read_remote(text)
    assert remote is not None
    assert (remote.url, remote.identity, remote.slug) == (url, identity, slug)


@pytest.mark.parametrize(
    "text",
    ["", "-oProxyCommand=x", "ext::sh -c id", "fd::7", "ssh://-oProxyCommand=x/y", "javascript://x/y",
     "host:-x", "https:///x", "https://github.com", "https://h/../x", "a\nb", "http://[::1", "https://h:99999/x"],
)  # fmt: skip
def test_remotes_that_git_must_not_be_given(text: str) -> None:
    assert read_remote(text) is None


def test_credentials_in_running_text() -> None:
    assert strip_credentials("fatal: https://a:b@c/d and ssh://x@y") == "fatal: https://c/d and ssh://y"


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


@given(st.text())
def test_law_a_remote_never_looks_like_an_option(text: str) -> None:
    remote = read_remote(text)
    assert remote is None or not remote.url.startswith("-")
