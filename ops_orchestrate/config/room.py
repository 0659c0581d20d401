"""Settings of the room that agents and gates work in: its limits, and its ways out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

from ops_orchestrate.core.hosts import read_host


class RoomSettings(BaseSettings):
    """Part of Settings; each field's description is its row in docs/configuration.md."""

    unsandboxed_ok: bool = Field(False, description="Run agents and gates without a sandbox; every report says so.")
    sandbox_read: Annotated[tuple[Path, ...], NoDecode] = Field(
        (), description="Further folders that are readable inside the sandbox (toolchains)."
    )
    sandbox_memory_mb: int = Field(8192, ge=64, description="Memory limit of one agent or gate.")
    sandbox_processes: int = Field(
        4096,
        ge=16,
        description="Process limit of one agent or gate; threads count, too, where the kernel does the counting.",
    )
    sandbox_file_mb: int = Field(4096, ge=1, description="Size limit of one file that an agent or a gate writes.")
    sandbox_disk_mb: int = Field(
        20_480, ge=16, description="What the tree and the scratch folders of one agent or gate may hold together."
    )
    sandbox_open_files: int = Field(16_384, ge=64, description="Open files of one process of an agent or a gate.")
    agent_network: bool = Field(
        False,
        description="Whether agents share this machine's whole network. Rather give them `OPS_MODEL_URL` and "
        "`OPS_AGENT_HOSTS`.",
    )
    agent_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Hosts that agents reach over HTTPS without a network (package registries): `pypi.org`, "
        "`*.npmjs.org`, `name:port`.",
    )
    model_url: str | None = Field(
        None,
        description="Base URL of a model's API that agents reach through a proxy of ours, which holds the key: "
        "`https://api.anthropic.com` (what `claude` uses where nothing is set), `https://api.openai.com/v1`.",
    )
    model_key: str = Field(
        "ANTHROPIC_API_KEY",
        description="The name that its key is asked for by (environment, Doppler, password manager).",
    )
    model_key_header: Literal["x-api-key", "authorization", "x-goog-api-key", "api-key"] = Field(
        "x-api-key", description="The header that the key goes into; `authorization` for APIs like OpenAI's."
    )
    model_server_tools: bool = Field(
        False,
        description="Whether agents may have the model's provider reach out for them (its web search, fetching, code, "
        "MCP servers): whatever an agent has read can leave that way.",
    )

    @field_validator("agent_hosts")
    @classmethod
    def _are_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            read_host(host)
        return value
