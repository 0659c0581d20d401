"""A model on this machine: the Anthropic Messages API as an agent's CLI speaks it, playing scenarios by URL path."""

from tests.standins.model.scenarios import SCENARIOS, Refuse, Say, Turn, Use
from tests.standins.model.server import Model, serving_model

__all__ = ["SCENARIOS", "Model", "Refuse", "Say", "Turn", "Use", "serving_model"]
