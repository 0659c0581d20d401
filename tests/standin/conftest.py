"""Fixtures of the stand-in's own tests."""

from __future__ import annotations

import pytest

from ops_orchestrate.standin.run import Standin
from tests.standin.scene import Scene


@pytest.fixture
def scene(github: Standin) -> Scene:
    """A stand-in with one repository and some people."""
    return Scene(github)
