"""Tables of the documents, as the tests read them that hold a document against the code."""

from __future__ import annotations

import re


def section(page: str, title: str) -> str:
    """What stands under a heading of the second level."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def rows(page: str, title: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head; a table with no row is a mistake."""
    lines = [line for line in section(page, title).splitlines() if line.startswith("| ")]
    assert len(lines) > 1, title
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]
