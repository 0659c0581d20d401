"""ops-orchestrate: audit every repository, plan a graph of one-pull-request tasks, run agents on it, verify, ship.

`celery -A ops_orchestrate worker` finds the Celery app in `ops_orchestrate.celery`; importing this package
itself loads nothing else, so that the command starts fast.
"""

__version__ = "0.1.0"
