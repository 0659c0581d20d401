"""Tables where there is little room: paragraphs rather than words broken into letters."""

from __future__ import annotations

import pytest

from ops_orchestrate.cli.tables import table
from ops_orchestrate.report.cells import width_of

HEADER = ("PROJECT", "REPOSITORY", "SHIPS TO", "GATE", "PRIORITY")
ROWS = [
    ("shop-api", "shop-api", "/srv/forge/of/mine/shop-api.git", "python3 -m unittest discover -q", "1"),
    ("web", "web", "org/web", "", "2"),
]


@pytest.mark.parametrize("columns", [30, 40, 50])
def test_a_narrow_table_is_paragraphs(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = table(HEADER, ROWS).splitlines()
    assert all(width_of(line) <= columns for line in lines)
    assert lines[:2] == ["PROJECT: shop-api", "  REPOSITORY: shop-api"]
    assert lines[-4:] == ["PROJECT: web", "  REPOSITORY: web", "  SHIPS TO: org/web", "  PRIORITY: 2"], "no empty GATE"
    assert "python3" in " ".join(lines) and "unittest" in " ".join(lines)


def test_a_wide_one_has_a_row_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    head, *rows = table(HEADER, ROWS).splitlines()
    assert head.split() == ["PROJECT", "REPOSITORY", "SHIPS", "TO", "GATE", "PRIORITY"]
    assert [row.split()[0] for row in rows] == ["shop-api", "web"]
