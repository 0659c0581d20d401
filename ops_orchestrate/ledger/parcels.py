"""Parcels: commits on their way from one host to another, as git bundles.

The ledger is the one place that every host reaches whatever its pool may hold, so an attempt's commits travel through
it. A parcel is named by what it brings; nobody can put something else under that name that git would take for it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode

from ops_orchestrate.ledger.keys import Keys
from ops_orchestrate.ledger.server import Server

#: A parcel nobody has asked for in that time is gone, in seconds; the host that made it still has the commits.
KEPT = 30 * 24 * 3600


class Parcels:
    """Implements adapters.parcels.Post."""

    def __init__(self, server: Server, keys: Keys) -> None:
        self._server = server
        self._keys = keys

    def put(self, repo: str, name: str, bundle: bytes) -> None:
        """Leave a bundle under the id of an object that it brings. Repeated, the last one stays."""
        key, text = self._keys("parcel", repo, name), b64encode(bundle).decode("ascii")
        self._server.ask(lambda: self._server.client.set(key, text, ex=KEPT))

    def get(self, repo: str, name: str) -> bytes | None:
        """The bundle that brings that object; None where there is none."""
        key = self._keys("parcel", repo, name)
        text = self._server.ask(lambda: self._server.client.getex(key, ex=KEPT))
        return None if text is None else b64decode(text)
