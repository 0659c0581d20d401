"""Where adapters are chosen, and nowhere else: from settings to a process's toolbox, from a name to an agent."""

from ops_orchestrate.wiring.agents import AGENTS, DEAF, agent_of, sandbox_line, sandbox_problem
from ops_orchestrate.wiring.planning import portfolio, preview_plan
from ops_orchestrate.wiring.stopping import STOPPING
from ops_orchestrate.wiring.toolbox import make_toolbox, toolbox

__all__ = [
    "AGENTS",
    "DEAF",
    "STOPPING",
    "agent_of",
    "make_toolbox",
    "portfolio",
    "preview_plan",
    "sandbox_line",
    "sandbox_problem",
    "toolbox",
]
