"""Settings: typed, prefixed `OPS_`, from the environment and one TOML file. No other room reads a setting there."""

from ops_orchestrate.config.models import MODEL_KINDS, AgentModel, kind_of, settings_of_agent
from ops_orchestrate.config.places import LEDGER_DATABASE, Urls, database_url, default_data_dir, default_plugin_root
from ops_orchestrate.config.secrecy import known_secrets
from ops_orchestrate.config.sentinel import SentinelAddress, is_sentinel, read_sentinel
from ops_orchestrate.config.settings import Settings, load_settings, mistyped_settings, process_settings

__all__ = [
    "LEDGER_DATABASE",
    "MODEL_KINDS",
    "AgentModel",
    "SentinelAddress",
    "Settings",
    "Urls",
    "database_url",
    "default_data_dir",
    "default_plugin_root",
    "is_sentinel",
    "kind_of",
    "known_secrets",
    "load_settings",
    "mistyped_settings",
    "process_settings",
    "read_sentinel",
    "settings_of_agent",
]
