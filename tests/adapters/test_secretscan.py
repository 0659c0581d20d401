"""The scan of a diff: kinds and places, never values; and quiet on ordinary code."""

from __future__ import annotations

import pytest

from ops_orchestrate.adapters.secretscan import scan, scan_lines
from tests.core.changes import changed, make_diff
from tests.core.test_redaction import HARMLESS, TOKENS


@pytest.mark.parametrize("name", TOKENS)
def test_every_kind_is_found_and_its_value_kept_out(name: str) -> None:
    token = TOKENS[name]
    found = scan_lines("src/a.py", ["x = 1", f"log line: token {token} sent"])
    assert found
    assert {finding.line for finding in found} == {2}
    assert all(token not in finding.model_dump_json() for finding in found)


@pytest.mark.parametrize(
    "line",
    [
        *HARMLESS,
        'password = "example"',
        'integrity: "sha512-' + "aB3d" * 20 + '=="',
        "uuid = '4bf92f35-77b3-4da6-a3ce-929d0e0e4736'",
        "def test_token_is_refused(token: str) -> None:",
        "const apiKey = process.env.API_KEY",
        "sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",
    ],
)
def test_ordinary_lines_raise_no_alarm(line: str) -> None:
    assert scan_lines("a", [line]) == ()


def test_the_beginning_of_a_private_key_is_enough() -> None:
    found = scan_lines("a", ["-----BEGIN OPENSSH " + "PRIVATE KEY-----"])
    assert [finding.kind for finding in found] == ["private key"]


def test_a_kind_that_only_the_library_knows_is_found() -> None:
    # A SendGrid-like shape of ours would not match this; Mailchimp's is the library's own.
    found = scan_lines("a", ["key = '" + "0123456789abcdef" * 2 + "-us12'"])
    assert [finding.kind for finding in found] == ["Mailchimp Access Key"]


def test_a_secret_is_found_anywhere_in_a_very_long_line() -> None:
    for before in (3_980, 4_000, 20_011):
        line = "x" * before + " " + TOKENS["AWS"] + " " + "y" * 5_000
        assert [finding.kind for finding in scan_lines("a", [line])] == ["AWS key"]


def test_only_added_lines_of_the_diff_count() -> None:
    token = TOKENS["npm"]
    diff = make_diff(changed("a", removed=(token,), added=("x",)), changed("b", added=("x", token)))
    assert [(f.path, f.kind, f.line) for f in scan(diff)] == [("b", "npm token", 2)]
