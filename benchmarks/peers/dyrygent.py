"""celery-dyrygent: graphs of Celery tasks, walked by a task that looks again every second. Runs in .bench/."""

from __future__ import annotations

from importlib.metadata import version

from celery_canvas import app, main, work
from celery_dyrygent.tasks import register_workflow_processor
from celery_dyrygent.workflows import Workflow

processor = register_workflow_processor(app)


def publish(nodes: list[tuple[str, list[str]]]) -> None:
    """Every task with those that it waits for."""
    flow = Workflow()
    made = {}
    for task, blockers in nodes:
        signature = work.si(task)
        signature.freeze()
        made[task] = flow.add_signature(signature, dependencies=[made[one] for one in blockers])
    flow.apply_async()


if __name__ == "__main__":
    main(publish, "dyrygent", version("celery-dyrygent"))
