"""What a process of the product does when it begins, done in the process of the tests: once a server that it meets."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ops_orchestrate.celery import app, point_at
from ops_orchestrate.config import Settings, Urls, load_settings


def point_here(urls: Urls) -> None:
    """As the command does; but Celery keeps its connections as long as a process lives, and tests meet more servers."""
    point_at(urls)
    app._after_fork()
    app._backend = app._get_backend()


def settings_of(env: Mapping[str, str]) -> Settings:
    """The settings that a process with this environment reads."""
    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(env)
        return load_settings()
    finally:
        os.environ.clear()
        os.environ.update(before)
