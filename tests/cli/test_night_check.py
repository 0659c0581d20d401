"""What is said of the night before it comes: when, with which flags, and whether anybody would be told of it."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.cli.night_check import examine_night, night_troubles, night_words
from ops_orchestrate.config import Settings
from ops_orchestrate.errors import UsageError

#: Ten in the evening in Tokyo.
NOW = datetime(2026, 11, 27, 13, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "off (OPS_NIGHTLY)"),
        (
            {"nightly": "03:00"},
            (
                "at 03:00 (Asia/Tokyo), the next in 5 h; no flags, so each merge waits for an answer; "
                "no digest (OPS_NOTIFY)"
            ),
        ),
        (
            {"nightly": "21:59", "nightly_flags": ("--teams", "--force"), "notify": "json://a ntfy://b"},
            "at 21:59 (Asia/Tokyo), the next in 23 h 59 min; --teams --force; a digest to 2 addresses",
        ),
    ],
)
def test_when_it_begins_and_how(tmp_path: Path, fields: dict[str, Any], words: str) -> None:
    (tmp_path / "preferences.json").write_text(json.dumps({"timezone": "Asia/Tokyo"}))
    assert night_words(Settings(data_dir=tmp_path, **fields), NOW) == words


@pytest.mark.parametrize("flags", [("--hybrid", "--teams"), ("--dry-run",), ("--nonsense",)])
@pytest.mark.parametrize("nightly", [None, "03:00"])
def test_flags_that_cannot_be_are_said_before_it(tmp_path: Path, flags: tuple[str, ...], nightly: str | None) -> None:
    with pytest.raises(UsageError, match="OPS_NIGHTLY_FLAGS"):
        night_words(Settings(data_dir=tmp_path, nightly=nightly, nightly_flags=flags), NOW)


@pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # apprise's own import
@pytest.mark.parametrize(
    ("fields", "troubles"),
    [
        ({"nightly": "03:00"}, []),
        ({"nightly": "03:00", "notify": "json://127.0.0.1/s3cr3t ntfy://topic"}, []),
        ({"notify": "json://127.0.0.1"}, ["OPS_NOTIFY has addresses, but there is no nightly to tell of"]),
        (
            {"nightly": "03:00", "notify": "json://127.0.0.1 smoke://s1gnal nothing"},
            ["apprise cannot read address 2, 3 of OPS_NOTIFY"],
        ),
    ],
)
def test_what_would_keep_a_digest_from_being_sent(tmp_path: Path, fields: dict[str, Any], troubles: list[str]) -> None:
    settings = Settings(data_dir=tmp_path, **fields)
    assert [found for found, _ in night_troubles(settings)] == troubles
    first, *others = examine_night(settings, NOW)
    assert (first.state, [one.found for one in others]) == ("ok", troubles)
    assert all(one.remedy and one.state == "warning" and "s1gnal" not in one.found for one in others)


def test_without_the_extra_nobody_would_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    settings = Settings(data_dir=tmp_path, nightly="03:00", notify="json://127.0.0.1")
    ((found, remedy),) = night_troubles(settings)
    assert "apprise, which is not installed" in found
    assert remedy == "pip install 'ops-orchestrate[notify]'"
