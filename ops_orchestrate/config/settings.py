"""Settings: typed, prefixed `OPS_`, from the environment and one TOML file. No other file reads the environment.

The table in docs/configuration.md is generated from this class. Periods are seconds and all of them are
settings, so that tests of leases and stalls take seconds, not hours.
"""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from ops_orchestrate.config.agents import AgentSettings
from ops_orchestrate.config.consult import ConsultSettings
from ops_orchestrate.config.file import toml_source
from ops_orchestrate.config.forges import ForgeSettings
from ops_orchestrate.config.mistyped import mistyped
from ops_orchestrate.config.money import MoneySettings
from ops_orchestrate.config.operations import OperationSettings
from ops_orchestrate.config.outward import OutwardSettings
from ops_orchestrate.config.places import Urls, database_url, default_data_dir, default_plugin_root, toml_file
from ops_orchestrate.config.refused import sentences, unreadable
from ops_orchestrate.config.room import RoomSettings
from ops_orchestrate.config.sentinel import is_sentinel, read_sentinel
from ops_orchestrate.config.sources import SourceSettings
from ops_orchestrate.config.words import words
from ops_orchestrate.core.board import MAX_AGENTS
from ops_orchestrate.errors import UsageError

#: Settings that are lists, in whichever part of the settings they stand.
_LISTS = (
    *("acp_command", "agent_command", "agent_env", "agent_fallback", "agent_hosts"),
    *("nightly_flags", "sandbox_read", "sensitive_paths", "required_services", "sentry_trusted"),
)


class Settings(
    AgentSettings,
    ConsultSettings,
    MoneySettings,
    RoomSettings,
    OutwardSettings,
    ForgeSettings,
    SourceSettings,
    OperationSettings,
):
    """Everything that can be set. Each field's description is its row in docs/configuration.md."""

    model_config = SettingsConfigDict(
        env_prefix="OPS_", extra="ignore", frozen=True, env_ignore_empty=True, allow_inf_nan=False
    )

    # Where things are
    data_dir: Path = Field(default_factory=default_data_dir, description="Registry, preferences and our own state.")
    registry: Path | None = Field(None, description="The registry file; overridden by `--registry`.")
    plugin_root: Path | None = Field(
        default_factory=default_plugin_root,
        description="The plugin's folder; its `scripts/registry.json` is the last place that is looked at.",
    )
    config: Path | None = Field(None, description="The TOML file; default `DATA_DIR/orchestrate.toml`.")
    redis_url: SecretStr | None = Field(
        None,
        description="A Redis or Valkey server (`redis://`, `rediss://`, `unix://`, `sentinel://`, `sentinels://`). "
        "Unset: an embedded one.",
    )
    broker_url: SecretStr | None = Field(None, description="The broker; default: database 0 of `OPS_REDIS_URL`.")
    results_url: SecretStr | None = Field(None, description="Celery results; default: database 1 of `OPS_REDIS_URL`.")
    ledger_url: SecretStr | None = Field(None, description="The ledger; default: database 2 of `OPS_REDIS_URL`.")
    host: str = Field(
        default_factory=lambda: socket.gethostname().split(".")[0] or "host",
        description="Stable name of this machine on the board.",
    )

    pool: Literal["", "planner", "audit", "agent", "ship", "beat", "flower"] = Field(
        "",
        description="The pool that this worker process is of: it then asks for no other pool's secrets. Set by "
        "`python -m workers POOL`; set it beside `celery -A ops_orchestrate worker -Q POOL`.",
    )

    # How much at once
    max_agents: int = Field(MAX_AGENTS, ge=1, le=MAX_AGENTS, description="Agents at once, over all machines and runs.")
    max_attempts: int = Field(3, ge=1, le=10, description="Attempts of a task before it is discarded.")
    audit_batch: int = Field(8, ge=1, le=64, description="Projects in one audit job, at most.")

    log_limit_mb: float = Field(20, gt=0, description="An agent's or a gate's log is cut at this size.")

    # Periods, in seconds
    lease: float = Field(90, gt=0, description="How long a claim holds without a heartbeat.")
    heartbeat: float = Field(15, gt=0, description="Between two heartbeats of a claim.")
    grant_timeout: float = Field(60, gt=0, description="A grant nobody claims returns slot and ownership.")
    reconcile_every: float = Field(15, gt=0, description="Between two looks of the reconciler.")
    attempt_limit: float = Field(4 * 3600, gt=0, description="Time limit of one agent's attempt.")
    start_limit: float = Field(120, gt=0, description="An agent without any sign of life this long never started.")
    stall_after: float = Field(900, gt=0, description="No sign of life for this long is a stall.")
    nudge_wait: float = Field(60, gt=0, description="After asking a stalled agent, how long to wait for an answer.")
    note_every: float = Field(30, gt=0, description="Between two notes on the board of what an agent prints.")
    grace: float = Field(10, gt=0, description="Between interrupt, TERM and KILL; and for salvage on Ctrl-C.")
    git_timeout: float = Field(60, gt=0, description="Time limit of one git command.")
    fetch_timeout: float = Field(300, gt=0, description="Time limit of one fetch or push.")
    gate_timeout: int = Field(1800, ge=1, le=2400, description="Time limit of a gate that sets none itself.")

    # Policy
    audit_gate: Literal["due", "never"] = Field(
        "due", description="Whether the audit runs a gate on an integration head that has no result yet."
    )
    sensitive_paths: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Globs of paths that wait for a review by a person, beside the built-in ones."
    )
    required_services: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Daemon services whose bad health blocks a run; all others are only shown."
    )
    git_name: str = Field("ops-orchestrate", description="Name on the commits that the orchestrator makes.")
    git_email: str = Field("ops-orchestrate@localhost", description="Address on those commits.")

    # Logs
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What the workers log.")
    traces_url: str | None = Field(
        None, description="Where workers send their OpenTelemetry spans, by OTLP over HTTP; unset: nowhere."
    )
    log_format: Literal["text", "json"] = Field("text", description="How: lines for people, or a JSON object a line.")

    @field_validator(*_LISTS, mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        return words(value)

    @field_validator("redis_url", "broker_url", "results_url", "ledger_url")
    @classmethod
    def _sentinels_are_readable(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and is_sentinel(value.get_secret_value()):
            read_sentinel(value.get_secret_value())
        return value

    @field_validator("heartbeat")
    @classmethod
    def _heartbeat_fits(cls, value: float, info: Any) -> float:
        lease = info.data.get("lease")
        if lease is not None and value > lease / 3:
            raise ValueError(f"must be at most a third of the lease ({lease:g} s)")
        return value

    @property
    def urls(self) -> Urls | None:
        """Where broker, results and ledger are; None where nothing is set and the embedded server is meant."""
        server = self.redis_url.get_secret_value() if self.redis_url else None
        given = (self.broker_url, self.results_url, self.ledger_url)
        found = [
            url.get_secret_value() if url else (database_url(server, number) if server else None)
            for number, url in enumerate(given)
        ]
        broker, results, ledger = found
        return Urls(broker, results, ledger) if broker and results and ledger else None

    @property
    def most_lag(self) -> float:
        """For how many seconds a primary that was cut off may go on.

        Its hosts' agents are ended two thirds of a lease after it has stopped; its successor gives their slots away a
        lease after the last heartbeat that it has heard of.
        """
        return self.lease / 3 - self.heartbeat

    @property
    def state_dir(self) -> Path:
        """Our own state: server, mirrors, trees, logs."""
        return self.data_dir / "orchestrate"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, which wins over the TOML file."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, toml_source(settings_cls)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings once, at the edge.

    Raises UsageError with every problem in one sentence each, naming the variable.
    """
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        raise UsageError(
            sentences(error, Settings.model_fields, toml_file(), toml_source(Settings).toml_data)
        ) from None
    except ValueError as error:  # a JSON list that cannot be parsed
        raise UsageError(unreadable(error)) from None
    data = settings.data_dir.expanduser().absolute()
    return settings.model_copy(update={"data_dir": data})


def mistyped_settings() -> list[str]:
    """A sentence for each variable of the environment that is nearly a setting and none: it has no effect."""
    return [
        f"{name} is no setting and has no effect. Is {near} meant?"
        for name, near in mistyped(os.environ, Settings.model_fields)
    ]


@lru_cache(maxsize=1)
def process_settings() -> Settings:
    """The settings of this process (workers read them once)."""
    return load_settings()
