"""The model that the real agent talks to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.standins.model import Model, serving_model


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    """One model for a module; each test plays its scenario under its own name."""
    with serving_model() as served:
        yield served


@pytest.fixture
def who(request: pytest.FixtureRequest) -> str:
    """A name of this test's own, for the path of its scenario."""
    return "".join(char if char.isalnum() else "-" for char in request.node.name)
