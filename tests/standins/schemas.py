"""Where the providers' published schemas are, if they are here: they are not ours to carry along."""

from __future__ import annotations

import os
from pathlib import Path

_BESIDE = Path(__file__).resolve().parents[2].parent


def published(name: str) -> Path | None:
    """The file of that name in OPS_TEST_SCHEMAS, or in `shared/data/schemas` beside the checkout or above it."""
    named = os.environ.get("OPS_TEST_SCHEMAS")
    folders = [Path(named)] if named else [base / "shared/data/schemas" for base in (_BESIDE, *_BESIDE.parents[:1])]
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def absent(name: str) -> str:
    """Why a test that needs it is skipped."""
    return f"{name} is not here: put it into a folder and name that with OPS_TEST_SCHEMAS"
