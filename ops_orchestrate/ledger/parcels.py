"""Parcels: commits on their way from one host to another, as git bundles.

The ledger is the one place that every host reaches whatever its pool may hold, so an attempt's commits travel through
it. A parcel is named by what it brings; nobody can put something else under that name that git would take for it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode

from ops_orchestrate.ledger.keys import Keys
from ops_orchestrate.ledger.scripts import Scripts
from ops_orchestrate.ledger.server import Server

#: A parcel nobody has asked for in that time is gone, in seconds; the host that made it still has the commits.
KEPT = 30 * 24 * 3600
#: Before the name of the parcel that brings the object too; no base64 begins like that.
_SEE = "->"


class Parcels:
    """Implements adapters.parcels.Post."""

    def __init__(self, server: Server, scripts: Scripts, keys: Keys) -> None:
        self._server = server
        self._scripts = scripts
        self._keys = keys

    def put(
        self, repo: str, name: str, bundle: bytes, *, also: tuple[str, ...] = (), sender: str = "", most: int = 0
    ) -> int:
        """Leave a bundle under the id of an object that it brings; under those of `also` stands where it is.

        Repeated, the last one stays. Answers how many bytes the sender's parcels take with it; nothing is left where
        that is more than `most` (0: no limit).
        """
        text = b64encode(bundle).decode("ascii")
        held = int(self._scripts("parcel_put", repo, name, text, float(KEPT), sender, float(_encoded(most)))) * 3 // 4
        if most and held > most:
            return held
        for other in also:
            if other != name:
                self._set(repo, other, f"{_SEE}{name}")
        return held

    def get(self, repo: str, name: str) -> bytes | None:
        """The bundle that brings that object; None where there is none."""
        text = self._text(repo, name)
        if text is not None and text.startswith(_SEE):
            text = self._text(repo, text.removeprefix(_SEE))
        return None if text is None or text.startswith(_SEE) else b64decode(text)

    def _set(self, repo: str, name: str, text: str) -> None:
        key = self._keys("parcel", repo, name)
        self._server.ask(lambda: self._server.client.set(key, text, ex=KEPT))

    def _text(self, repo: str, name: str) -> str | None:
        key = self._keys("parcel", repo, name)
        text: str | None = self._server.ask(lambda: self._server.client.getex(key, ex=KEPT))
        return text


def _encoded(size: int) -> int:
    """How long so many bytes are in base64."""
    return (size + 2) // 3 * 4
