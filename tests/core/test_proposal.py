"""The gate that a repository's files suggest, and the registry that `init` writes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.proposal import (
    READ,
    Candidate,
    Proposal,
    propose_gate,
    registry_text,
    unique_aliases,
)
from ops_orchestrate.core.registry import parse_registry


def _package(**scripts: str) -> dict[str, str]:
    return {"package.json": json.dumps({"scripts": scripts})}


@pytest.mark.parametrize(
    ("names", "texts", "gate"),
    [
        ([], _package(**{"type-check": "tsc", "lint": "eslint", "test:unit": "vitest"}),
         "npm run type-check && npm run lint && npm run test:unit"),
        ([], _package(test="jest", build="x"), "npm run test"),
        (["pnpm-lock.yaml"], _package(lint="x", test="y"), "pnpm run lint && pnpm run test"),
        (["yarn.lock"], _package(typecheck="x"), "yarn run typecheck"),
        ([], _package(test='echo "Error: no test specified" && exit 1'), None),
        ([], {"package.json": "{"}, None),
        ([], {"package.json": '{"scripts": ["test"]}'}, None),
        (["pytest.ini"], {}, "python3 -m pytest -q"),
        ([], {"pyproject.toml": "[tool.pytest.ini_options]\n"}, "python3 -m pytest -q"),
        ([], {"setup.cfg": "[tool:pytest]\n"}, "python3 -m pytest -q"),
        (["tests/conftest.py"], {}, "python3 -m pytest -q"),
        (["tests/test_a.py", "tests/__init__.py"], {}, "python3 -m unittest discover -s tests -t ."),
        (["tests/test_a.py"], {}, "PYTHONPATH=. python3 -m unittest discover -s tests"),
        (["test_a.py"], {}, "python3 -m unittest discover"),
        (["pytest.ini", "src/api"], {}, "PYTHONPATH=src python3 -m pytest -q"),
        (["pytest.ini", "src/README.md", "src/.keep"], {}, "python3 -m pytest -q"),
        (["src/api.py", "tests/test_a.py", "tests/__init__.py"], {},
         "PYTHONPATH=src python3 -m unittest discover -s tests -t ."),
        (["src/api", "tests/test_a.py"], {}, "PYTHONPATH=.:src python3 -m unittest discover -s tests"),
        (["go.mod"], {}, "go vet ./... && go test ./..."),
        (["Cargo.toml"], {}, "cargo check && cargo test"),
        ([], {"Makefile": "all: x\ntest:\n\ttrue\n"}, "make test"),
        ([], {"Makefile": "test:\ncheck: test\n"}, "make check"),
        ([], {"Makefile": "test := 3\n\tcheck:\n"}, None),
        (["tests/test_a.py", "pytest.ini"], {"Makefile": "test:\n\tpytest\n"}, "make test"),
        (["go.mod"], {"Makefile": "check:\n"}, "make check"),
        (["Cargo.toml"], {"Makefile": "all:\n"}, "cargo check && cargo test"),
        ([], {"Makefile": "test:\n"} | _package(test="jest"), "npm run test"),
        ([], {"Makefile": "test:\n"} | _package(lint="eslint"), "make test"),
        (["pytest.ini"], {"justfile": "set shell := [\"sh\"]\n\n@test *args:\n    pytest {{args}}\n"}, "just test"),
        (["pytest.ini"], {"justfile": "test name:\n    pytest {{name}}\n"}, "python3 -m pytest -q"),
        ([], {"Justfile": "check level=\"1\": build\ntest:\n"}, "just check"),
        (["pytest.ini"], {"tox.ini": "[tox]\nenvlist = py\n"}, "tox run"),
        (["pytest.ini"], {"tox.ini": "[flake8]\n"}, "python3 -m pytest -q"),
        ([], {"pyproject.toml": "[tool.tox]\n[tool.pytest.ini_options]\n"}, "tox run"),
        (["pytest.ini", "noxfile.py"], {}, "nox"),
        (["README.md", "src/a.c"], {}, None),
        ([], {"pyproject.toml": "= broken"}, None),
    ],
)  # fmt: skip
def test_gates(names: list[str], texts: dict[str, str], gate: str | None) -> None:
    proposal = propose_gate([*names, *texts], texts)
    assert (proposal.gate if proposal else None) == gate
    assert proposal is None or proposal.reason


def test_the_registry_is_one_that_we_read() -> None:
    candidates = [
        Candidate(alias="api", path="/x/api", slug="org/api", proposal=Proposal(gate="make check", reason="r")),
        Candidate(alias="web", path="/x/wéb", planning=True),
    ]
    api, web = parse_registry(registry_text(candidates, owner="Ada").encode(), origin="r").entries
    assert (api.alias, api.slugs, api.settings.gate, api.priority) == ("api", ("org/api",), "make check", 1)
    assert (web.paths, web.settings.gate, web.planning, web.priority) == (("/x/wéb",), None, True, 2)


def test_folders_of_the_same_name_get_different_aliases() -> None:
    names = ["app", "App", "my app", "app"]
    found = unique_aliases([Candidate(alias=name, path=f"/{n}") for n, name in enumerate(names)])
    assert [one.alias for one in found] == ["app", "App-2", "my-app", "app-3"]


@given(st.dictionaries(st.sampled_from(READ), st.text()), st.lists(st.text()))
def test_law_no_file_makes_a_proposal_fail(texts: dict[str, str], names: list[str]) -> None:
    proposal = propose_gate([*names, *texts], texts)
    assert proposal is None or (proposal.gate.isprintable() and proposal.reason.isprintable())


@given(st.lists(st.text(max_size=120), max_size=20))
def test_law_what_init_writes_can_be_read(names: list[str]) -> None:
    found = unique_aliases([Candidate(alias=name, path="/x") for name in names])
    entries = parse_registry((registry_text(found)).encode(), origin="r").entries
    assert [one.alias for one in entries] == [one.alias for one in found]
