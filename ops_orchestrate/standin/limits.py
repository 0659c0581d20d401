"""GitHub's limits: points an hour for each resource, and the secondary ones on creating content.

Primary: every identity has its own account of `core`, `graphql` and `search`. Secondary: content-creating requests
a minute and an hour. All figures can be set by the control side.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field


@dataclass
class Window:
    """What is left of one resource for one identity."""

    limit: int
    reset: float
    used: int = 0

    @property
    def remaining(self) -> int:
        """Points left."""
        return max(0, self.limit - self.used)


@dataclass
class Limits:
    """The accounts of everybody."""

    sizes: dict[str, int] = field(default_factory=lambda: {"core": 5000, "graphql": 5000, "search": 30})
    seconds: dict[str, float] = field(default_factory=lambda: {"core": 3600.0, "graphql": 3600.0, "search": 60.0})
    anonymous: int = 60
    primary_status: int = 403
    """GitHub says 403 or 429."""
    content_per_minute: int = 80
    content_per_hour: int = 500
    secondary_status: int = 403
    secondary_retry_after: int | None = 60
    """What a secondary refusal says; None: no `retry-after`, as GitHub sometimes does."""
    _windows: dict[tuple[str, str], Window] = field(default_factory=dict)
    _created: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def window(self, who: str, resource: str, now: float) -> Window:
        """The running window, a new one where the old has ended."""
        found = self._windows.get((who, resource))
        if found is None or found.reset <= now:
            limit = self.anonymous if who == "anonymous" else self.sizes[resource]
            found = Window(limit, now + self.seconds[resource])
            self._windows[who, resource] = found
        return found

    def exhaust(self, who: str, resource: str, now: float, left: int = 0, reset_in: float | None = None) -> None:
        """Leave only `left` points in the running window."""
        window = self.window(who, resource, now)
        window.used = max(0, window.limit - left)
        if reset_in is not None:
            window.reset = now + reset_in

    def may_create(self, who: str, now: float) -> bool:
        """Whether one more content-creating request fits; counts it if so."""
        recent = [at for at in self._created[who] if at > now - 3600]
        last_minute = sum(1 for at in recent if at > now - 60)
        if last_minute >= self.content_per_minute or len(recent) >= self.content_per_hour:
            self._created[who] = recent
            return False
        self._created[who] = [*recent, now]
        return True
