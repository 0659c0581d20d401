"""Plain tables for verbs that print one; rich draws them, and is imported only when one is drawn."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable, Sequence

from ops_orchestrate.core.names import one_line
from ops_orchestrate.report.cells import width_of, wrap

#: A longer word (a path, an address) may be broken in a table.
_WORD = 12


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The rows under their header, broken to the terminal's width; cells are cleaned of control characters.

    Where that would break words, each row is a paragraph instead, with a line a cell.
    """
    cells = [[one_line(cell, 500) for cell in row] for row in rows]
    wide = shutil.get_terminal_size((120, 24)).columns
    if _least([list(header), *cells]) > wide:
        return _paragraphs(header, cells, wide)
    from rich.console import Console  # 0.1 s to import: only for verbs that draw a table
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False, header_style="bold")
    for name in header:
        grid.add_column(name, overflow="fold")
    for row in cells:
        grid.add_row(*map(Text, row))
    out = io.StringIO()
    Console(file=out, width=wide).print(grid)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()).rstrip()


def _least(rows: Sequence[Sequence[str]]) -> int:
    """Columns in which every word has room, of paths and commands as much as makes them out."""
    words = [
        max((min(width_of(word), _WORD) for cell in column for word in cell.split()), default=1)
        for column in zip(*rows, strict=True)
    ]
    return sum(words) + 2 * (len(words) - 1)


def _paragraphs(header: Sequence[str], rows: Sequence[Sequence[str]], wide: int) -> str:
    found = []
    for row in rows:
        first, *others = [f"{name}: {cell}" for name, cell in zip(header, row, strict=True) if cell]
        found.append(
            "\n".join(
                [
                    *wrap(first, wide, indent=2),
                    *(f"  {line}" for cell in others for line in wrap(cell, wide - 2, indent=2)),
                ]
            )
        )
    return "\n".join(found)
