"""Beat and Flower: what stands beside the pools, with the options that make each of them safe to start anywhere."""

from __future__ import annotations

import errno
import os
import secrets
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from kombu.exceptions import OperationalError

from ops_orchestrate.adapters.lifeline import watch_lifeline
from ops_orchestrate.adapters.textfile import private_once
from ops_orchestrate.celery import app
from ops_orchestrate.config import Settings, process_settings
from ops_orchestrate.errors import OpsError


def beat() -> int:
    """Run beat until it is stopped.

    Its schedule stays in memory: every entry is asked again and again, and decided by the ledger, so there is nothing
    that a file would have to remember.
    """
    watch_lifeline(grace=process_settings().grace)
    app.Beat(scheduler="celery.beat:Scheduler", loglevel="WARNING", quiet=True).run()
    return 0


def flower() -> int:
    """Run Flower until it is stopped, never without a password. Exit 1 where the extra is missing.

    Raises OpsError where it cannot listen.
    """
    if find_spec("flower") is None:
        sys.stderr.write("Flower is not installed: pip install 'ops-orchestrate[flower]'\n")
        return 1
    settings = process_settings()
    watch_lifeline(grace=settings.grace)
    # By its environment, since a password on the command line could be read by everybody on the machine.
    os.environ.update(flower_environment(settings))
    _events(wanted=True)  # Flower asks for them as well, but five seconds later
    try:
        app.start(["flower"])
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES):
            raise
        where = f"{settings.flower_address}:{settings.flower_port}"
        raise OpsError(
            f"Flower cannot listen at {where}: {os.strerror(error.errno)}. End what does, or set OPS_FLOWER_PORT or "
            "OPS_FLOWER_ADDRESS"
        ) from None
    finally:
        _events(wanted=False)  # whoever else watches asks again
    return 0


def _events(*, wanted: bool) -> None:
    """Ask all workers to send the events of their jobs, or to stop."""
    with suppress(OperationalError):  # the server is away: Flower waits for it, and asks by itself
        (app.control.enable_events if wanted else app.control.disable_events)()


def flower_environment(settings: Settings) -> dict[str, str]:
    """Flower's own variables. Whoever wants to stop something uses our verbs: the ledger would not hear of it here."""
    given = settings.flower_auth.get_secret_value() if settings.flower_auth else ""
    return {
        "FLOWER_ADDRESS": settings.flower_address,
        "FLOWER_PORT": str(settings.flower_port),
        "FLOWER_BASIC_AUTH": given or made_auth(settings.state_dir),
        "FLOWER_READ_ONLY": "1",
        "FLOWER_CONF": os.devnull,  # it would run a flowerconfig.py of the folder that it is started in
        "FLOWER_TASKS_COLUMNS": "name,args,state,result,received,started,runtime,worker",
        # Seconds: an agent works for minutes or hours.
        "FLOWER_TASK_RUNTIME_METRIC_BUCKETS": "1,5,15,60,300,900,3600,14400",
    }


def made_auth(state_dir: Path) -> str:
    """The login that is made where the owner sets none; kept for its owner's eyes in the state folder."""
    return private_once(state_dir / "flower.auth", f"ops:{secrets.token_urlsafe(18)}\n").strip()
