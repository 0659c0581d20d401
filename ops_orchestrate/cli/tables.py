"""Plain tables for verbs that print one; rich draws them, and is imported only when one is drawn."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable, Sequence

from ops_orchestrate.core.names import one_line


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The rows under their header, cut to the terminal's width; cells are cleaned of control characters."""
    from rich.console import Console  # 0.1 s to import: only for verbs that draw a table
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False, header_style="bold")
    for name in header:
        grid.add_column(name, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(one_line(cell, 500)) for cell in row))
    out = io.StringIO()
    Console(file=out, width=shutil.get_terminal_size((120, 24)).columns).print(grid)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()).rstrip()
