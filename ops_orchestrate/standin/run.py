"""Start a stand-in: a folder of bare repositories, a port on loopback, and the control side."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import ops_orchestrate.standin.graphql.route
import ops_orchestrate.standin.rest  # noqa: F401 - both fill the table of routes
from ops_orchestrate.errors import UsageError
from ops_orchestrate.standin.control_http import ControlSide
from ops_orchestrate.standin.control_work import Control
from ops_orchestrate.standin.exchange import Reply, Request
from ops_orchestrate.standin.graphql import schema
from ops_orchestrate.standin.server import Door, listen, listen_unix
from ops_orchestrate.standin.site import Site
from ops_orchestrate.standin.tide import Tide
from ops_orchestrate.standin.world import World


class Standin:
    """A running stand-in; a context manager that ends it.

    `url`: what stands for https://api.github.com (`OPS_GITHUB_API_URL`); the same with `/api/v3` answers as GitHub
    Enterprise does. `clone_url`: what git clones and pushes. `published`: the file of GitHub's own GraphQL schema to
    execute against; without it the small one of this package serves.
    `watch`: sees every request with its true answer.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        published: Path | None = None,
        socket: Path | None = None,
        clock: Callable[[], float] = time.time,
        watch: Callable[[Request, Reply], None] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.world = World(folder, clock)
        self.world.published = published
        try:
            schema.load(published or schema.OWN)  # before the first request, which would run into its time limit
        except ModuleNotFoundError as error:
            raise UsageError(
                f"the GitHub stand-in needs {error.name}: pip install 'ops-orchestrate[standin]'"
            ) from None
        tide = Tide(self.world)
        side = ControlSide()
        self._door = Door(self.world, Site(self.world, tide), side.answer)
        self._door.watch = watch or self._door.watch
        self.control = Control(self.world, tide, self._door)
        side.control = self.control
        self._servers = [listen(self._door, port)]
        if socket is not None:
            self._servers.append(listen_unix(self._door, socket))
        self.port = self._servers[0].server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def clone_url(self, name: str, token: str | None = None) -> str:
        """Where git clones and pushes a repository."""
        who = f"x-access-token:{token}@" if token else ""
        return f"http://{who}127.0.0.1:{self.port}/{name}.git"

    def close(self) -> None:
        """End it; requests that wait are let go."""
        self._door.stopping.set()
        for server in self._servers:
            server.end()

    def __enter__(self) -> Standin:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
