"""Reading a registry file, for tests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ops_orchestrate.core.registry import Entry, RegistryFile, parse_registry
from ops_orchestrate.errors import RegistryError


def parsed(document: Any) -> RegistryFile:
    return parse_registry(json.dumps(document).encode(), origin="reg.json")


def one_entry(**fields: Any) -> Entry:
    return parsed({"projects": [{"alias": "a", "paths": ["~/a"], **fields}]}).entries[0]


def refused(data: bytes) -> str:
    with pytest.raises(RegistryError) as caught:
        parse_registry(data, origin="reg.json")
    assert "reg.json" in str(caught.value)
    return str(caught.value)


def refused_field(**fields: Any) -> str:
    text = refused(json.dumps({"projects": [{"alias": "shop", "paths": ["~/a"], **fields}]}).encode())
    assert 'project "shop"' in text
    return text
