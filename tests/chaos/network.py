"""A host in a network namespace of its own, whose one link can be cut: packets are lost, and nobody is told.

`python -m tests.chaos.network HOST PORT…` runs inside: what is asked of the loopback there is passed on over the link.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence

from tests.chaos.proxy import Proxy


class Network:
    """One namespace and the way out of it. Where none can be made, `why_not` says so and nothing is different."""

    def __init__(self, ports: Sequence[int]) -> None:
        number = os.getpid() % 16_000
        self._space = f"ops{number}"
        self._link = f"opsv{number}"
        net = f"10.{77 + number // 8192}.{number // 64 % 128}."
        self._outside, self._inside = (f"{net}{number % 64 * 4 + at}" for at in (1, 2))
        self.why_not = self._make()
        self.ways: list[Proxy] = []
        self.ports = tuple(ports)
        if not self.why_not:
            self.ways = [Proxy(port, bind=self._outside, port=port) for port in ports]

    def inside(self, argv: Sequence[str]) -> list[str]:
        """A command line that runs inside."""
        return list(argv) if self.why_not else ["ip", "netns", "exec", self._space, *argv]

    def relay(self) -> list[str]:
        """The command line of what passes on inside."""
        return self.inside([sys.executable, "-m", "tests.chaos.network", self._outside, *map(str, self.ports)])

    def cut(self, *, cut: bool) -> None:
        """Take the link down, or up again."""
        self._ip("link", "set", self._link, "down" if cut else "up")

    def close(self) -> None:
        """Give everything back."""
        for way in self.ways:
            way.close()
        if not self.why_not:
            self._ip("netns", "del", self._space)  # the link goes with it
            self._ip("link", "del", self._link)

    def _make(self) -> str:
        if not shutil.which("ip"):
            return "there is no `ip` (Debian: apt install iproute2)"
        peer = f"{self._link}p"
        orders = (
            ("netns", "add", self._space),
            ("link", "add", self._link, "type", "veth", "peer", "name", peer),
            ("link", "set", peer, "netns", self._space),
            ("addr", "add", f"{self._outside}/30", "dev", self._link),
            ("link", "set", self._link, "up"),
            ("-n", self._space, "addr", "add", f"{self._inside}/30", "dev", peer),
            ("-n", self._space, "link", "set", peer, "up"),
            ("-n", self._space, "link", "set", "lo", "up"),
        )
        for order in orders:
            said = self._ip(*order)
            if said:
                self._ip("netns", "del", self._space)
                return f"no network namespace can be made here ({said})"
        return ""

    def _ip(self, *words: str) -> str:
        """What it says against it; empty: it is done."""
        done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
        return done.stderr.strip() or "?" if done.returncode else ""


def main(host: str, ports: Sequence[int]) -> None:
    """Pass on until killed."""
    relays = [Proxy(port, host=host, port=port) for port in ports]
    threading.Event().wait()
    del relays


if __name__ == "__main__":
    main(sys.argv[1], [int(word) for word in sys.argv[2:]])
