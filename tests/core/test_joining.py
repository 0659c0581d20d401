"""Which machines may share a ledger: a table, with a sentence for each no."""

from __future__ import annotations

import pytest

from ops_orchestrate.core.board import Host
from ops_orchestrate.core.joining import skewed, why_not_join


def host(name: str, *, version: str = "1.0", machine: str = "") -> Host:
    return Host(name=name, pools={"agent": 5}, seen_at=0, version=version, machine=machine or f"machine of {name}")


ME = host("here")


@pytest.mark.parametrize(
    ("others", "no"),
    [
        ([], ""),
        ([host("there"), ME], ""),  # other processes of this machine are this machine
        ([host("there", version="")], ""),  # it said nothing
        ([host("there"), host("old", version="0.9")], "old runs ops-orchestrate 0.9, this is 1.0"),
        ([host("here", machine="another")], "Another machine is called here already"),
        ([Host(name="here", pools={}, seen_at=0, version="1.0")], ""),
    ],
)
def test_who_may_join(others: list[Host], no: str) -> None:
    said = why_not_join(ME, others)
    assert said.startswith(no)
    assert bool(said) is bool(no)


def test_a_command_of_another_version_leaves_the_ledger_alone() -> None:
    assert skewed("1.0", [host("a"), host("b")]) == ""
    assert "b runs ops-orchestrate 2.0" in skewed("1.0", [host("a"), host("b", version="2.0")])
