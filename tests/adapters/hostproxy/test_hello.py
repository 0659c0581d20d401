"""Whom a greeting is for, however it is put."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.adapters.hostproxy.hello import server_name
from tests.adapters.hostproxy.greetings import extended, hello, names, split_records


def test_the_name_in_a_greeting() -> None:
    assert server_name(hello("pypi.org")) == "pypi.org"
    assert server_name(hello(None)) == ""
    assert server_name(split_records(hello("pypi.org"), 50)) == "pypi.org"


def test_a_greeting_with_one_more_extension_is_read_as_before() -> None:
    assert server_name(extended(hello("pypi.org"), (0x1234, b"x"))) == "pypi.org"
    assert server_name(extended(hello(None), (0, names(b"pypi.org")))) == "pypi.org"


@pytest.mark.parametrize(
    "greeting",
    [
        extended(hello("pypi.org"), (0xFE0D, b"\0" * 40)),
        extended(hello("pypi.org"), (0, names(b"evil.example"))),
        extended(hello(None), (0, names(b"pypi.org", b"evil.example"))),
        b"\x16\x03\x01\0\0" + hello("pypi.org"),
    ],
    ids=["hidden (ECH)", "the extension twice", "two names", "an empty record"],
)
def test_a_greeting_for_more_than_one_host_is_none(greeting: bytes) -> None:
    with pytest.raises(ValueError, match=r"another greeting|more than one|empty piece"):
        server_name(greeting)


@given(st.integers(0, 600))
def test_a_greeting_that_is_not_whole_has_no_name_yet(cut: int) -> None:
    whole = hello("files.pythonhosted.org")
    assert server_name(whole[:cut]) == (None if cut < len(whole) else "files.pythonhosted.org")


@given(st.binary(max_size=200))
def test_anything_else_is_no_greeting_or_not_whole(data: bytes) -> None:
    for noise in (data, b"\x16\x03\x01" + data, b"\x16\x03\x01\x00\x40\x01\x00\x00\x3c" + data):
        try:
            found = server_name(noise)
        except ValueError:
            continue
        assert found is None or found == "" or found.isascii()
