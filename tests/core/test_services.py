"""The plugin's services file: what is known from it, and that nothing odd in it makes a run fail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.project import Deployed
from ops_orchestrate.core.services import parse_services
from tests.builders import make_repository

MAIN = {"health": "https://app.test/health", "version": "https://app.test/version"}


def parsed(document: Any) -> Any:
    return parse_services(json.dumps(document).encode(), origin="services.json")


def test_each_branch_of_a_repository_has_its_own_addresses() -> None:
    found = parsed({"Org/App:main": MAIN, "org/app:dev": {"health": "http://dev.test/h", "version": ""}})
    assert (
        found.of("org/app")
        == found.of("ORG/APP")
        == (
            Deployed(branch="main", health_url=MAIN["health"], version_url=MAIN["version"]),
            Deployed(branch="dev", health_url="http://dev.test/h"),
        )
    )
    assert found.of("org/other") == found.of(None) == ()
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("org/app", MAIN, '"org/app" is not `owner/name:branch`'),
        ("app:main", MAIN, "is not `owner/name:branch`"),
        ("org/app:../main", MAIN, "is not `owner/name:branch`"),
        ("org/app:main", "https://app.test", "must be an object with `health` and `version`, not a string"),
        ("org/app:main", {}, "has neither `health` nor `version`"),
        ("org/app:main", {"health": "file:///etc/passwd"}, "has a `health` that must be an http or https URL"),
        ("org/app:main", {"version": "https://me:pw@x.test/"}, "has a `version` that must not hold credentials"),
        ("org/app:main", {"version": 7}, "has a `version` that must be a string, not a number"),
    ],
)
def test_an_odd_entry_is_named_and_left_out(key: str, value: Any, says: str) -> None:
    found = parsed({key: value, "_comment": "of mine", "org/fine:main": MAIN})
    assert [len(found.of(slug)) for slug in ("org/app", "org/fine")] == [0, 1]
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith("services.json: ")
    assert says in found.warnings[0]
    assert "pw" not in found.warnings[0]


@pytest.mark.parametrize(
    ("data", "says"),
    [(b"{", "is not valid JSON"), (b"[]", "must be an object"), (b"", "is empty"), (b'{"a":1,"a":2}', "twice")],
)
def test_a_file_that_cannot_be_read_is_a_warning(data: bytes, says: str) -> None:
    found = parse_services(data, origin="services.json")
    assert not found.by_slug
    assert len(found.warnings) == 1
    assert says in found.warnings[0]


@given(st.binary(max_size=200) | st.recursive(st.none() | st.text(), lambda s: st.dictionaries(st.text(), s)))
def test_law_nothing_in_it_raises(content: Any) -> None:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    parse_services(data, origin="services.json")


def test_what_the_registry_says_goes_before_the_services_file() -> None:
    known = (
        Deployed(branch="main", health_url="https://file.test/h", version_url="https://file.test/v"),
        Deployed(branch="dev", health_url="https://dev.test/h"),
    )
    silent = make_repository(deployed=known)
    assert silent.deployed_at("main") == known[0]
    assert silent.deployed_at("dev").version_url is None
    assert silent.deployed_at("trunk") == Deployed(branch="trunk")
    chosen = make_repository(deployed=known, health_url="https://registry.test/h").deployed_at("main")
    assert (chosen.health_url, chosen.version_url) == ("https://registry.test/h", "https://file.test/v")
