"""Agents that speak the Agent Client Protocol: OpenCode and Gemini CLI by themselves, others through an adapter."""

from ops_orchestrate.adapters.agents.acp.agent import AcpAgent
from ops_orchestrate.adapters.agents.acp.presets import PRESETS

__all__ = ["PRESETS", "AcpAgent"]
