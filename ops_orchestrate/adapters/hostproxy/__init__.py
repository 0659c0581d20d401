"""The way to package registries: a CONNECT proxy that lets foreign code reach the hosts that the owner names."""

from ops_orchestrate.adapters.hostproxy.proxy import PORT, HostProxy

__all__ = ["PORT", "HostProxy"]
