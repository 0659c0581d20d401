"""The agents that can be configured. Which one works is chosen in `wiring`."""

from ops_orchestrate.adapters.agents.acp import PRESETS, AcpAgent
from ops_orchestrate.adapters.agents.claude import ClaudeAgent
from ops_orchestrate.adapters.agents.command import CommandAgent
from ops_orchestrate.adapters.agents.scripted import ScriptedAgent

__all__ = ["PRESETS", "AcpAgent", "ClaudeAgent", "CommandAgent", "ScriptedAgent"]
