"""Claude Code as an agent: its command line, its protocol, its end."""

from ops_orchestrate.adapters.agents.claude.agent import ClaudeAgent

__all__ = ["ClaudeAgent"]
