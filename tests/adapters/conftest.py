"""What the tests of several adapters share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.adapters.foreign import eventually, gone, living
from tests.adapters.gitshop import Shop, make_shop


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """One repository and what works on it, untouched by the git configuration of whoever runs this."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    return make_shop(tmp_path)


@pytest.fixture
def mark() -> Iterator[str]:
    """A mark of this test's own; nothing that carries it may be left afterwards."""
    value = f"test-{uuid4().hex}"
    yield value
    assert eventually(lambda: gone(value)), living(value)
