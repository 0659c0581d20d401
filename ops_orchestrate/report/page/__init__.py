"""`report RUN --html FILE`: one page about one run, which needs nothing but itself."""

from ops_orchestrate.report.page.render import page

__all__ = ["page"]
