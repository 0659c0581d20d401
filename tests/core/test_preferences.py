"""The plugin's preferences: tolerant where it does no harm, strict about who may be merged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.preferences import Preferences, parse_preferences
from ops_orchestrate.errors import UsageError


def _parse(document: Any) -> Preferences:
    return parse_preferences(json.dumps(document).encode(), origin="prefs.json")


def test_what_concerns_us_is_read() -> None:
    found = _parse(
        {
            "owner": "Ada",
            "timezone": "Europe/Berlin",
            "yolo_enabled": True,
            "merge_authors": ["ada", "dependabot[bot]"],
            "secrets_manager": "doppler",
            "doppler": {"project": "p", "config": "prd"},
            "password_manager": "1password",
            "password_manager_config": {"query_cmd": 'op item get "{{name}}"'},
            "channels": {"telegram": {"bot_token": "s3cret"}},
        }
    )
    assert (found.owner, found.timezone, found.yolo_enabled) == ("Ada", "Europe/Berlin", True)
    assert found.merge_authors == ("ada", "dependabot[bot]")
    assert (found.doppler_project, found.doppler_config) == ("p", "prd")
    assert found.query_command == 'op item get "{{name}}"'
    assert "s3cret" not in found.model_dump_json()


def test_nothing_said_is_the_default() -> None:
    assert _parse({}) == Preferences()
    assert _parse({"owner": None, "doppler": None, "timezone": " "}) == Preferences()


def test_odd_values_are_left_out_and_said() -> None:
    found = _parse({"owner": 3, "yolo_enabled": "yes", "doppler": [], "password_manager_config": {"query_cmd": 1}})
    assert not found.yolo_enabled and not found.owner
    assert [warning.split("`")[1] for warning in found.warnings] == ["owner", "query_command", "yolo_enabled"]


@pytest.mark.parametrize("authors", ["ada", [3], [""], {"ada": True}, True])
def test_a_broken_list_of_authors_is_never_everybody(authors: Any) -> None:
    with pytest.raises(UsageError, match="merge_authors"):
        _parse({"merge_authors": authors})


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'{"a": 1, "a": 2}'])
def test_a_damaged_file_names_itself(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"prefs\.json"):
        parse_preferences(data, origin="prefs.json")


@given(st.binary())
def test_law_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        parse_preferences(data, origin="prefs.json")
    except UsageError as error:
        assert str(error).isprintable()
