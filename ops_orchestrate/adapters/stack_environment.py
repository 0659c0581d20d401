"""What the processes of an embedded stack are told by their environment, and what is kept from each."""

from __future__ import annotations

from collections.abc import Mapping

from ops_orchestrate.adapters.lifeline import LIFELINE
from ops_orchestrate.adapters.proctree import STACK
from ops_orchestrate.adapters.stack_files import StackSpec, WorkerSpec
from ops_orchestrate.adapters.state_dir import StateDir
from ops_orchestrate.config import Urls, load_settings
from ops_orchestrate.errors import OpsError


def worker_environment(
    spec: WorkerSpec, inherited: Mapping[str, str], addresses: Urls, state: StateDir, lifeline: int
) -> dict[str, str]:
    """What the first user's shell had, less what this worker must not see, and where the stack is."""
    kept = {name: value for name, value in inherited.items() if name not in spec.drop}
    return {
        **kept,
        **spec.env,
        "OPS_BROKER_URL": addresses.broker,
        "OPS_RESULTS_URL": addresses.results,
        "OPS_LEDGER_URL": addresses.ledger,
        STACK: str(state.root),
        LIFELINE: str(lifeline),
    }


def nursery_environment(spec: StackSpec, inherited: Mapping[str, str], state: StateDir) -> dict[str, str]:
    """What all workers may see: nothing that is kept from one of them."""
    kept_from_one = {name for worker in spec.workers for name in worker.drop}
    return {name: value for name, value in inherited.items() if name not in kept_from_one} | {STACK: str(state.root)}


def own_urls() -> Urls:
    """Where the owner's own server is. Raises OpsError where the settings name none."""
    urls = load_settings().urls
    if urls is None:
        raise OpsError("These workers were to use a server of yours, and OPS_REDIS_URL is not set.")
    return urls
