"""The rig of the engine's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.rig import Rig


@pytest.fixture
def rig(tmp_path: Path, server_url: str) -> Iterator[Rig]:
    """One repository `app`, no worker yet."""
    made = Rig.build(tmp_path, server_url)
    yield made
    made.close()
