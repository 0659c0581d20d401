"""Where a repository's changes go once they are verified: what a plan can say of it before anything is made."""

from __future__ import annotations

from ops_orchestrate.core.value import Value


class Outlet(Value):
    """One repository's way out."""

    repo: str
    """The repository's key."""
    name: str
    """Its name for people."""
    integration: str
    slug: str = ""
    """`owner/name` where changes go through pull requests; empty where they are pushed."""
    main: str = ""
    """What integration is promoted to afterwards; empty where it is not."""
    spared: bool = False
    """Integration is main itself and the run leaves main alone: each merge waits for a yes, also with --force."""
    refused: str = ""
    """Why nothing of it is shipped; empty where it is."""
