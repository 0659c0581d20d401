"""A model's API on loopback, and proxies in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ops_orchestrate.adapters.modelproxy import Limits, Upstream
from ops_orchestrate.adapters.modelproxy.proxy import ModelProxy
from tests.adapters.modelproxy.model import KEY, Model, model


@pytest.fixture
def api() -> Iterator[Model]:
    with model() as made:
        yield made


@pytest.fixture
def opened(api: Model) -> Iterator[Any]:
    """Opens proxies with these limits, on the host's loopback; all are closed afterwards."""
    made: list[ModelProxy] = []

    def open_one(path: str = "", price: Any = None, key: Any = lambda: KEY, **limits: Any) -> ModelProxy:
        made.append(ModelProxy(Upstream(api.url + path), key, folder=None, limits=Limits(**limits), price=price))
        return made[-1]

    yield open_one
    for proxy in made:
        proxy.close()
