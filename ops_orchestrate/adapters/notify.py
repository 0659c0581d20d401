"""Tells people: one message to every address of the owner's, through apprise. An address is a secret, whole.

apprise logs what it does with parts of the address in it, so its log is closed here.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from ops_orchestrate.errors import OpsError


class NotToldError(OpsError):
    """Somebody was not reached; the text says how many and names no address."""


def unusable(addresses: Sequence[str]) -> tuple[str, str] | None:
    """What keeps these addresses from being told anything, and what to do about it; nothing is sent to find out."""
    try:
        import apprise  # as in `tell`
    except ImportError:
        return "digests need apprise, which is not installed", "pip install 'ops-orchestrate[notify]'"
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    wrong = [number for number, address in enumerate(addresses, 1) if not _is_address(apprise, address)]
    if not wrong:
        return None
    named = ", ".join(map(str, wrong))
    return f"apprise cannot read address {named} of OPS_NOTIFY", "https://appriseit.com has the form of each service's."


def _is_address(apprise: Any, address: str) -> bool:
    try:
        return bool(apprise.Apprise().add(address))
    except (TypeError, ValueError):
        return False


def tell(addresses: Sequence[str], *, title: str, body: str) -> None:
    """Send to each address. Raises NotToldError where one is none, or its service did not take the message."""
    try:
        import apprise  # an extra, and slow to import: only whoever wants digests needs it
    except ImportError:
        raise NotToldError("Digests need apprise: pip install 'ops-orchestrate[notify]'") from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    failed = 0
    for address in addresses:
        one = apprise.Apprise()
        try:
            # Else mail and others take it for HTML, with what strangers wrote in it.
            text = apprise.NotifyFormat.TEXT
            taken = bool(one.add(address)) and bool(one.notify(title=title, body=body, body_format=text))
        except (TypeError, ValueError, OSError):
            taken = False
        failed += not taken
    if failed:
        raise NotToldError(f"{failed} of {len(addresses)} did not take the digest.")
