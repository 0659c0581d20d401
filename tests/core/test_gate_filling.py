"""Gates put into a registry that people have written: only where nobody has said anything about one."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.gate_filling import with_gates, without_gate

LIST = {"version": "1.0", "projects": [{"alias": "a", "paths": ["/a"]}, {"paths": ["/b"], "ops": {"ci": "none"}}]}


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (LIST, {0: "/a", 1: "/b"}),
        ([{"path": "/a"}], {0: "/a"}),
        ({"path": "/a", "phase": "1"}, {0: "/a"}),
        ({"projects": {"a": {"paths": "/a"}}}, {"a": "/a"}),
        ({"a": {"path": "/a"}}, {"a": "/a"}),
        ([{"paths": ["/a"], "ops": {"gate": "make test"}}], {}),
        ([{"paths": ["/a"], "ops": {"gate": None}}], {}),  # a person said that there is none
        ([{"paths": ["/a", "/b"]}], {}),  # one gate would be for both
        (["/a"], {}),
        ([{"alias": "issues"}], {}),
        ([{"paths": ["/a"], "ops": "odd"}], {}),
        ("odd", {}),
        (None, {}),
    ],
)
def test_which_entries_have_none(document: Any, found: dict[int | str, str]) -> None:
    before = copy.deepcopy(document)
    assert without_gate(document) == found
    given_ = with_gates(document, dict.fromkeys([*found, 9, "z"], "make check"))
    assert document == before, "the document itself is left alone"
    assert without_gate(given_) == {}


def test_all_else_stays_where_it_was() -> None:
    made = with_gates(LIST, {1: "make test"})
    assert made["projects"] == [LIST["projects"][0], {"paths": ["/b"], "ops": {"ci": "none", "gate": "make test"}}]


entries = st.fixed_dictionaries(
    {},
    optional={
        "paths": st.lists(st.sampled_from(["/a", "/b"]), max_size=2),
        "ops": st.none() | st.dictionaries(st.sampled_from(["gate", "ci"]), st.sampled_from([None, "x", ""])),
        "alias": st.text(max_size=3),
    },
)


@given(st.lists(entries, max_size=4), st.dictionaries(st.integers(0, 5), st.just("new"), max_size=4))
def test_nothing_that_was_written_is_changed(document: list[dict[str, Any]], gates: dict[int | str, str]) -> None:
    for before, after in zip(document, with_gates(document, gates), strict=True):
        assert {name: value for name, value in after.items() if name != "ops"} == {
            name: value for name, value in before.items() if name != "ops"
        }
        was, now = before.get("ops") or {}, after.get("ops") or {}
        assert now.items() >= was.items()
        assert set(now) - set(was) <= {"gate"}
