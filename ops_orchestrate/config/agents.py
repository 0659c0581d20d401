"""Settings of the agents: which one works, with which model, and how far it may go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

from ops_orchestrate.config.models import AgentModel
from ops_orchestrate.config.places import teams_flag
from ops_orchestrate.core.redaction import kinds_in


class AgentSettings(BaseSettings):
    """Part of Settings; each field's description is its row in docs/configuration.md."""

    agent: str = Field(
        "command",
        description="Which agent works: `claude`, `opencode`, `gemini`, `codex`, `acp`, `command` or `scripted` "
        "(docs/agents.md).",
    )
    agent_fallback: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Agents that work in its place, in this order, while its account gives no more: `gemini codex`.",
    )
    acp_command: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="The argv of `acp`, any agent that speaks the Agent Client Protocol on its standard input and "
        "output; or the name of one that is known: `opencode`, `gemini`, `codex`.",
    )
    models: dict[str, AgentModel] = Field(
        default_factory=dict,
        description="By the name of an agent, where it is not the one of `OPS_MODEL…`: its model and that model's API, "
        '`{"gemini": {"model": "…", "url": "…", "key": "GEMINI_API_KEY", "key_header": "x-goog-api-key"}}`.',
    )
    agent_command: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="The agent's argv for `command`: a JSON list, or one line split like a shell would."
    )
    agent_env: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Names of environment variables that agents may see."
    )
    teams: bool = Field(
        default_factory=teams_flag,
        description="Whether there are agent teams (`--teams`, `--hybrid`). Unset: where "
        "`CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS` is 1.",
    )
    playbook: Path | None = Field(None, description="The playbook of the `scripted` agent.")
    model: str = Field("sonnet", min_length=1, description="Model name handed to agents that take one.")
    claude: str = Field("claude", min_length=1, description="The Claude Code program: a name on the PATH, or a path.")
    max_turns: int = Field(300, ge=1, description="Turns of the model in one attempt of `claude`.")
    model_retries: int = Field(
        4, ge=0, le=20, description="How often a model that does not answer is asked again before the attempt ends."
    )
    keep_transcripts: int = Field(200, ge=1, description="So many transcripts of attempts are kept, the newest ones.")

    @field_validator("agent_command", "acp_command")
    @classmethod
    def _no_secret_in_sight(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Whoever may list processes reads a command line."""
        kinds = [kind for word in value for kind in kinds_in(word)]
        if kinds:
            raise ValueError(
                f"has what looks like a secret in it ({kinds[0]}); put that into a variable named in OPS_AGENT_ENV"
            )
        return value

    @field_validator("model")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        """It is a word of a command line: never an option."""
        if value.startswith("-"):
            raise ValueError("must be a model's name")
        return value
