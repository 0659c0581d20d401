"""Which repositories are as they were when they were last looked at: by ETags, else by one small query for many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import Event
from typing import Any, NamedTuple

from ops_orchestrate.adapters.github import queries
from ops_orchestrate.adapters.github.client import GitHubClient
from ops_orchestrate.adapters.github.kept import LONGEST_BELIEVED, Kept, Lately, Memory
from ops_orchestrate.adapters.github.limits import Purpose
from ops_orchestrate.adapters.github.looking import branches_asked, trace_of
from ops_orchestrate.adapters.github.signs import lately, listed
from ops_orchestrate.adapters.github.trouble import Denied, Missing
from ops_orchestrate.core.forge_signs import SETTLED, Signs, Step, next_step, restless
from ops_orchestrate.core.project import Repository
from ops_orchestrate.errors import SourceUnavailable

_AT_ONCE = 25
"""Repositories that one query asks after; it stays one point."""
_A_MINUTE = 800
"""Requests of one audit that ETags may bring it to. GitHub counts a 304 among the 900 that it bears in a minute."""

Run = Callable[..., Iterable[Any]]


class Known(NamedTuple):
    """A repository and what is known of it."""

    repository: Repository
    name: str
    """What is kept of it is kept under this."""
    before: Kept | None
    row: str = ""
    lately: Lately | None = None
    """Signs of today, else those that were noted before: always from before the look that they are kept with."""
    confirmed: Kept | None = None
    """What is kept of it, where it is as it was then."""

    @property
    def signs(self) -> Signs:
        """What was noted of it before."""
        return _signs(self.before.row, self.before.lately) if self.before else Signs()


def _signs(row: str, seen: Lately | None) -> Signs:
    return Signs(row=row, lately=seen.digest if seen else "", newest=seen.newest if seen else 0.0)


class Comparison:
    """Compares GitHub with what is kept. Called by one thread."""

    def __init__(self, client: GitHubClient, memory: Memory, now: Callable[[], float]) -> None:
        self._client = client
        self._memory = memory
        self._now = now

    def __call__(self, repositories: Sequence[Repository], run: Run) -> list[Known]:
        """What is known of each, confirmed where it is as it was; `run` does things at once, as `map` does.

        One where something may change without a sign is never confirmed. A sign is asked for before the look that it is
        kept with: what changes between the two is seen the next time, and not never.
        """
        known = {at: self._known(one) for at, one in enumerate(repositories)}
        quiet = [at for at, one in known.items() if self._may_stand(one.before)]
        steps = self._signed(known, quiet, run)
        same = {at for at in quiet if steps[at] is Step.KEEP}
        asked = [at for at in quiet if steps[at] is Step.ASK]
        groups = [asked[at : at + _AT_ONCE] for at in range(0, len(asked), _AT_ONCE)]
        for equal in run(lambda group: self._same_of(group, known), groups):
            same.update(equal)
        return [_confirmed(one) if at in same else one for at, one in known.items()]

    def _known(self, repository: Repository) -> Known:
        name = self._name(repository)
        before = self._memory.get(name)
        return Known(repository, name, before, before.row if before else "", before.lately if before else None)

    def _name(self, repository: Repository) -> str:
        """What is kept of a repository is kept of its branches, as one identity sees them."""
        refs = branches_asked(repository)
        who = self._client.identity.name()
        place = f"{self._client.address.rest} {str(repository.slug).lower()}"
        return f"{who} {place} {refs['integration']} {refs['main']}"

    def _may_stand(self, before: Kept | None) -> bool:
        if before is None or not before.trace or restless(before.look):
            return False
        return self._now() - before.at < LONGEST_BELIEVED

    def _signed(self, known: dict[int, Known], quiet: Sequence[int], run: Run) -> dict[int, Step]:
        """Note the signs of today for as many as there is room for; what follows for each of `quiet`.

        Only of those that are in the list: without their line nothing else tells that they are as they were. Not for an
        App: its token is another one every hour, and so is every ETag.
        """
        lists_of_runs = sum(max(1, len(one.before.pages)) if one.before else 1 for one in known.values())
        room = max(0, _A_MINUTE - lists_of_runs)
        rows = self._rows(0 if self._client.identity.bot else min(len(quiet), room))
        of = {at: rows.get(str(known[at].repository.slug).lower(), "") for at in quiet}
        chosen, ill = [at for at in quiet if of[at]][:room], Event()
        steps = dict.fromkeys(quiet, Step.ASK)
        at_once = run(lambda at: self._lately(known[at], ill), chosen)
        for at, seen in zip(chosen, at_once, strict=True):
            one, row = known[at], of[at]
            assert one.before is not None
            steps[at] = next_step(one.signs, _signs(row, seen), one.before.at)
            settled = seen if seen and self._now() - seen.newest > SETTLED else None
            known[at] = one._replace(row=row, lately=settled or one.lately)
        return steps

    def _rows(self, count: int) -> dict[str, str]:
        """Lines of the list of repositories, of no more pages than the queries would be that they spare."""
        name = f"{self._client.identity.name()} {self._client.address.rest} repositories"
        before, pages = self._memory.listed(name), -(-count // _AT_ONCE)
        try:
            found = listed(self._client, pages, before)
        except SourceUnavailable:
            return {}
        if found != before:
            self._memory.put(name, found)
        return {slug: row for page in found.pages[:pages] for slug, row in page.rows.items()}

    def _lately(self, known: Known, ill: Event) -> Lately | None:
        """What was changed last; None where GitHub does not say. `ill`: it has failed, so that nobody asks any more."""
        if ill.is_set():
            return None
        try:
            return lately(self._client, str(known.repository.slug), known.lately)
        except (Missing, Denied):
            return None
        except SourceUnavailable:
            ill.set()
            return None

    def _same_of(self, group: Sequence[int], known: dict[int, Known]) -> list[int]:
        variables: dict[str, str] = {}
        for at, one in enumerate(group):
            repository = known[one].repository
            owner, name = str(repository.slug).split("/", 1)
            refs = branches_asked(repository)
            variables |= {f"o{at}": owner, f"n{at}": name, f"i{at}": refs["integration"], f"m{at}": refs["main"]}
        try:
            data = self._client.ask(queries.traces(len(group)), variables, Purpose.AUDIT).data
        except SourceUnavailable:
            return []  # then each of them is looked at, and says itself what is wrong
        traces = {one: trace_of(data.get(f"r{at}") or {}) for at, one in enumerate(group)}
        return [one for one, trace in traces.items() if (before := known[one].before) and trace == before.trace]


def _confirmed(known: Known) -> Known:
    assert known.before is not None
    return known._replace(confirmed=known.before.model_copy(update={"row": known.row, "lately": known.lately}))
