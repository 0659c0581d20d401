"""The way to the model: an HTTP proxy of ours that holds the key, so that the agent holds none.

    proxy = ModelProxy(Upstream(url), key=lambda: "...", folder=scratch, limits=Limits())
    env = {"ANTHROPIC_BASE_URL": proxy.base_url, "ANTHROPIC_API_KEY": proxy.placeholder}
    SandboxSpec(..., doors=proxy.doors, env=env)
    proxy.usage(); proxy.close()

One for each attempt: threads of the worker, which end with `close` or with the worker. It is imported from `proxy.py`,
by whoever starts one: httpx comes with it, and most workers start none.
"""

from ops_orchestrate.adapters.modelproxy.terms import Limits, Upstream

__all__ = ["Limits", "Upstream"]
