"""Which model an agent uses, over which API, with which key: the owner's word, or what its kind is made for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:  # the settings hold such entries
    from ops_orchestrate.config.settings import Settings

KeyHeader = Literal["x-api-key", "authorization", "x-goog-api-key", "api-key"]


class AgentModel(BaseModel):
    """One agent's entry in OPS_MODELS, or its kind's defaults; what is not given is the setting's own default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str | None = Field(None, pattern=r"^([^-].*)?$")
    """Empty: the agent's own choice."""
    url: str | None = None
    key: str | None = None
    key_header: KeyHeader | None = None

    def as_settings(self) -> dict[str, Any]:
        """The settings that it stands for."""
        named = {"model": self.model, "model_url": self.url, "model_key": self.key, "model_key_header": self.key_header}
        return {name: value for name, value in named.items() if value is not None}


_OPENAI = AgentModel(model="", key="OPENAI_API_KEY", key_header="authorization")
#: The API that a known agent is made for.
_KINDS = {
    "opencode": _OPENAI,
    "codex": _OPENAI.model_copy(update={"url": "https://api.openai.com/v1"}),
    "gemini": AgentModel(
        model="",
        url="https://generativelanguage.googleapis.com",
        key="GEMINI_API_KEY",
        key_header="x-goog-api-key",
    ),
}
#: Agents whose model the settings may say.
MODEL_KINDS = frozenset({*_KINDS, "claude", "acp", "command"})
_PROGRAMS = {"codex-acp": "codex", "claude-agent-acp": "claude"}


def kind_of(settings: Settings, agent: str) -> str:
    """Which kind of agent it is; `acp` is the one whose program OPS_ACP_COMMAND names, wherever that lies."""
    if agent != "acp" or not settings.acp_command:
        return agent
    program = settings.acp_command[0].rpartition("/")[2]
    return _PROGRAMS.get(program, program)


def settings_of_agent(settings: Settings, agent: str) -> Settings:
    """The settings as that agent sees them: its kind's defaults, then OPS_MODEL…, then its entry in OPS_MODELS.

    OPS_MODEL… are for the agent that works first, so not for one that only stands in for it.
    """
    names = ("model", "model_url", "model_key", "model_key_header")
    plain = {name: type(settings).model_fields[name].default for name in names}
    kind = _KINDS.get(kind_of(settings, agent), AgentModel())
    first = agent == settings.agent or agent not in settings.agent_fallback
    said = {name: getattr(settings, name) for name in names if first and name in settings.model_fields_set}
    entry = settings.models.get(agent, AgentModel())
    return settings.model_copy(update=plain | kind.as_settings() | said | entry.as_settings())
