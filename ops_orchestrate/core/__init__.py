"""The rules, pure: facts and `now` in, a decision out. No clock, no I/O, no Celery (import-linter holds it)."""
