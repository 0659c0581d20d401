"""Settings of what runs beside the runs themselves: the night, Flower, this machine's share, what is kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

from ops_orchestrate.core.board import MAX_AGENTS
from ops_orchestrate.core.night import read_time


class OperationSettings(BaseSettings):
    """Part of Settings; each field's description is its row in docs/configuration.md."""

    host_agents: int = Field(
        MAX_AGENTS, ge=1, le=MAX_AGENTS, description="Agents at once on this machine, below `OPS_MAX_AGENTS` over all."
    )
    agent_memory_mb: int = Field(
        1024, ge=64, description="What one agent uses: this machine takes no more at once than fit into its memory."
    )
    clock_skew: float = Field(
        60,
        gt=0,
        description="Seconds that this machine's clock may differ from the server's; beyond, it takes no jobs.",
    )
    nightly: str | None = Field(
        None,
        description="When the nightly run begins, in the time zone of preferences.json: `03:00`. Unset: none. Asked by "
        "beat, decided by the planner.",
    )
    nightly_flags: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Flags of `run` for the nightly: `--hybrid --no-main`. Nobody is asked anything: without a mode it "
        "is hybrid, and without `--force` each merge waits for an `answer`.",
    )
    notify: SecretStr | None = Field(
        None,
        description="Where the digest of a nightly goes: addresses of apprise, separated by white space "
        "(`mailtos://…`, `slack://…`, `ntfy://…`). They are secrets. Needs the extra `notify`.",
    )
    keep_days: int = Field(
        90,
        ge=1,
        description="Days after which a run is forgotten by the ledger, and refs of merged work by the mirrors. What "
        "anybody can still go on with, and work that is not merged, is kept for ever.",
    )
    spare_trees: bool = Field(
        True,
        description="Whether a tree for the next attempt is kept ready in each repository of a thousand files or more: "
        "it takes the room of one checkout there. Never without a sandbox.",
    )
    carry_mb: float = Field(
        16, gt=0, le=256, description="Commits up to this size travel to other hosts, through the ledger's server."
    )
    carry_total_mb: float = Field(
        512, gt=0, description="All commits of this machine that are on their way take no more there than this."
    )
    flower_auth: SecretStr | None = Field(
        None,
        description="`USER:PASSWORD` of Flower; unset: a password is made, and kept in "
        "`DATA_DIR/orchestrate/flower.auth`. Flower never runs without one.",
    )
    flower_address: str = Field("127.0.0.1", description="Where Flower listens.")
    flower_port: int = Field(5555, ge=0, le=65_535, description="Flower's port.")

    @field_validator("nightly")
    @classmethod
    def _is_a_time(cls, value: str | None) -> str | None:
        if value is not None:
            read_time(value)
        return value

    @field_validator("flower_auth")
    @classmethod
    def _names_a_user(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            user, _, password = value.get_secret_value().partition(":")
            # A comma would make two logins of it, for Flower.
            if not user or len(password) < 8 or "," in value.get_secret_value():
                raise ValueError("must be USER:PASSWORD, with 8 characters or more and no comma")
        return value
