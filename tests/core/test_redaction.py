"""Redaction: known values in every encoding, known shapes, and no text made unreadable for nothing."""

from __future__ import annotations

import base64
import json
import re
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.redaction import SHAPES, SHORTEST, forms, kinds_in, redact

ALNUM = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3hJ5kL7nP9rS1tV3xY5"

#: Put together at run time, so that no scanner of this repository mistakes them for real ones.
TOKENS = {
    "GitHub classic": "ghp" + "_" + ALNUM[:36],
    "GitHub fine-grained": "github" + "_pat_" + ALNUM[:22] + "_" + ALNUM[:40],
    "GitHub app": "ghs" + "_" + ALNUM[:36],
    "GitLab": "glpat" + "-" + ALNUM[:20],
    "Anthropic": "sk-" + "ant-api03-" + ALNUM[:40] + "-" + ALNUM[:30],
    "OpenAI": "sk-" + "proj-" + ALNUM[:40],
    "Sentry": "sntrys" + "_" + "eyJpYXQiOjE3" + ALNUM[:40],
    "Linear": "lin" + "_api_" + ALNUM[:40],
    "Doppler": "dp" + ".st.prd." + ALNUM[:40],
    "npm": "npm" + "_" + ALNUM[:36],
    "PyPI": "pypi" + "-AgEIcHlwaS5vcmc" + ALNUM[:40],
    "Slack": "xox" + "b-123456789012-" + ALNUM[:24],
    "Stripe": "sk" + "_live_" + ALNUM[:24],
    "AWS": "AKIA" + "QX7ZT3MN5PLK2W4V",
    "Google": "AIza" + ALNUM[:35],
    "JSON web token": "eyJhbGciOiJIUzI1" + ".eyJzdWIiOiIxMjM0" + "." + ALNUM[:30],
    "redis URL": "redis://:" + "s3cr3tpassw0rd" + "@db.example:6379/0",
    "bare hex": "0123456789abcdef" * 2 + "01234567",
}


def test_there_are_eighteen_kinds() -> None:
    assert len(TOKENS) == 18


@pytest.mark.parametrize("name", TOKENS)
def test_every_kind_is_cut_out_of_a_log_line(name: str) -> None:
    token = TOKENS[name]
    text = redact(f"log line: token {token} sent")
    assert token not in text
    assert "[redacted" in text
    assert text.startswith("log line: ")
    assert text.endswith(" sent") or "URL" in text


@pytest.mark.parametrize("name", TOKENS)
def test_every_kind_is_named_without_its_value(name: str) -> None:
    kinds = kinds_in(f"log line: token {TOKENS[name]} sent")
    assert kinds
    assert all(kind in {shape.kind for shape in SHAPES} for kind in kinds)


@pytest.mark.parametrize("end", ["-----END RSA " + "PRIVATE KEY-----\nafter", "and then ordinary words"])
def test_a_private_key_is_cut_as_a_whole_also_when_its_end_is_missing(end: str) -> None:
    body = "\n".join(ALNUM[:40] for _ in range(5))
    text = redact("before\n-----BEGIN RSA " + f"PRIVATE KEY-----\n{body}\n{end}")
    assert ALNUM[:40] not in text
    assert text.startswith("before\n[redacted private key]")
    assert text.endswith(end.rsplit("\n", maxsplit=1)[-1])


HARMLESS = [
    "https://example.com/a:b?c=d and git@github.com:me/x.git",
    "postgres://user:${PASSWORD}@host/db and https://<user>:<password>@host",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b",
    "task-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ask-me desk-lamp-with-a-very-long-name-here",
    "the token was refused; the password is wrong; key = value",
    "Authorization: required",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text
    assert kinds_in(text) == ()


VALUE = "correct horse/battery+staple=?"


@pytest.mark.parametrize(
    "text",
    [
        f"as it is: {VALUE}!",
        f"in a URL: https://x/?p={quote(VALUE, safe='')}&y=1",
        f"in JSON: {json.dumps({'p': VALUE})}",
        f"in hex: {VALUE.encode().hex()}",
        f"in base64: {base64.b64encode(VALUE.encode()).decode()}",
        f"basic auth: {base64.b64encode(('user:' + VALUE).encode()).decode()}",
        f"basic auth, other alignment: {base64.b64encode(('me:' + VALUE + 'x').encode()).decode()}",
        f"URL-safe base64: {base64.urlsafe_b64encode(('ab' + VALUE).encode()).decode()}",
    ],
)
def test_a_known_value_is_found_in_every_encoding(text: str) -> None:
    done = redact(text, [VALUE])
    assert "[redacted]" in done
    assert all(form not in done for form in forms(VALUE))


@given(st.text(min_size=8, max_size=40), st.binary(max_size=5), st.binary(max_size=5))
def test_a_known_value_is_found_in_base64_at_every_alignment(value: str, before: bytes, after: bytes) -> None:
    raw = before + value.encode() + after
    assert "[redacted]" in redact(base64.b64encode(raw).decode(), [value])


@given(st.text(min_size=SHORTEST, max_size=30), st.text(max_size=60), st.text(max_size=60))
def test_a_known_value_never_survives(value: str, before: str, after: str) -> None:
    # The marks themselves are ours: a value made of their letters may stand in them.
    done = redact(before + value + after, [value])
    for mark in ("[redacted]", *(f"[redacted {shape.kind}]" for shape in SHAPES)):
        done = done.replace(mark, "\0")
    assert value not in done


ALPHABET = st.sampled_from(
    [*TOKENS.values(), *HARMLESS, VALUE, "redacted", "[redacted]", " ", "\n", "x", "-----BEGIN PRIVATE KEY-----"]
)


@given(
    st.lists(ALPHABET, max_size=6).map("".join), st.lists(st.sampled_from([VALUE, "redacted", "token "]), max_size=2)
)
def test_doing_it_twice_changes_nothing_more(text: str, known: list[str]) -> None:
    once = redact(text, known)
    assert redact(once, known) == once


LONG = 'correct "horse" battery/staple+ ' * 3 + "é"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"arguments": json.dumps({"password": LONG})}),
        json.dumps({"p": LONG}, ensure_ascii=False),
        quote(LONG, safe="").lower(),
        quote(LONG).lower(),
        LONG.encode().hex().upper(),
        base64.encodebytes(LONG.encode()).decode(),
        json.dumps({"stdout": base64.encodebytes(("user:" + LONG).encode()).decode()}),
        json.dumps({"stdout": json.dumps({"in": base64.encodebytes(LONG.encode()).decode()})}),
        "\n".join(LONG[at : at + 10] for at in range(0, len(LONG), 10)),
        json.dumps({"text": "\r\n".join(LONG[at : at + 7] for at in range(0, len(LONG), 7))}),
    ],
    ids=[
        *("JSON in JSON", "plain JSON", "a query", "a path", "hex in capitals", "base64 of a tool"),
        *("base64 in JSON", "base64 in JSON in JSON", "folded", "folded in JSON"),
    ],
)
def test_a_known_value_is_found_in_what_tools_make_of_it(text: str) -> None:
    done = redact(f"before {text} after", [LONG])
    assert "[redacted]" in done
    bare = re.sub(r"\s|\\+[nrt]", "", done)
    assert not any(len(form) >= 16 and re.sub(r"\s|\\+[nrt]", "", form) in bare for form in forms(LONG))
    if text.startswith("{"):
        json.loads(redact(text, [LONG]))


def test_a_file_that_is_a_secret_is_known_by_its_lines() -> None:
    value = "-----BEGIN X-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\nshort\n-----END X-----"
    assert redact("a line: AQEFAASCBKcwggSjAgEAAoIB", [value]) == "a line: [redacted]"
    assert redact("a short word", [value]) == "a short word"


def test_short_values_are_left_alone() -> None:
    assert redact("a dev in the devil's den", ["dev", "a", ""]) == "a dev in the devil's den"


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE " + "KEY-----\n" * 8000,
        ("-----BEGIN PRIVATE " + "KEY-----\n") * 8000,
        "://" * 100_000,
        "http://a:" * 50_000,
        "eyJ" * 100_000,
        "token " * 50_000,
        "SG." * 100_000,
        "authorization: basic " * 20_000,
        "A" * 300_000,
    ],
    ids=["one BEGIN", "many BEGINs", "schemes", "URLs", "JWT starts", "words", "SG", "headers", "letters"],
)
def test_no_hostile_log_makes_it_slow(text: str) -> None:
    began = time.perf_counter()
    redact(text, ["some-known-value"])
    assert time.perf_counter() - began < 3
