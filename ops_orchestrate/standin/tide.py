"""What GitHub does by itself as time goes on: CI ends, standing orders merge, the merge queue moves."""

from __future__ import annotations

from contextlib import suppress

from ops_orchestrate.standin import rules
from ops_orchestrate.standin.ci import CI, Occasion
from ops_orchestrate.standin.exchange import Refused
from ops_orchestrate.standin.merging import Merging, Order
from ops_orchestrate.standin.pull import Pull, QueueEntry
from ops_orchestrate.standin.refs import Refs
from ops_orchestrate.standin.repository import Repository
from ops_orchestrate.standin.world import World


class Tide:
    """Moves the world on until nothing more happens by itself at this moment."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ci = CI(world)
        self.refs = Refs(world, self.ci)
        self.merging = Merging(world, self.refs)

    def advance(self) -> None:
        """Do all that is due."""
        while self.ci.advance() or self._standing_orders() or self._queues():
            pass

    def _standing_orders(self) -> bool:
        for repository in list(self.world.repositories.values()):
            for pull in repository.pulls.values():
                if pull.auto_merge and pull.open and self.merging.ready(pull, None):
                    return self._obey(pull)
        return False

    def _obey(self, pull: Pull) -> bool:
        order, pull.auto_merge = pull.auto_merge, None
        if order is None:
            return False
        with suppress(Refused):
            self.merging.merge(pull, order.by, Order(order.method, None, order.title, order.message))
        return True

    def _queues(self) -> bool:
        if not self.world.queue_open:
            return False
        return any(self._first_of(repository) for repository in list(self.world.repositories.values()))

    def _first_of(self, repository: Repository) -> bool:
        if not repository.queue:
            return False
        entry = repository.queue[0]
        base = repository.branch(entry.pull.base_ref) or ""
        if entry.base != base:
            return self._form_group(entry, base)
        problems = [
            text
            for rule in repository.rules_of(entry.pull.base_ref)
            for text in rules.check_problems(entry.pull, rule, entry.group)
        ]
        if any(text.endswith("failing.") for text in problems):
            self._leave(entry, "failed checks")
            return True
        return not problems and self._merge_group(entry)

    def _form_group(self, entry: QueueEntry, base: str) -> bool:
        """Make the commit that will become the base's, and let its checks run."""
        pull, repository = entry.pull, entry.pull.repository
        tree = repository.bare.merged_tree(base, pull.head_sha)
        if tree is None:
            self._leave(entry, "conflict")
            return True
        text = f"Merge pull request #{pull.number} from {repository.owner.login}/{pull.head_ref}\n\n{pull.title}\n"
        if entry.branch:
            repository.bare.git("update-ref", "-d", f"refs/heads/{entry.branch}")
        entry.base = base
        entry.group = repository.bare.write_commit(tree, [base, pull.head_sha], text, None)
        entry.branch = f"gh-readonly-queue/{pull.base_ref}/pr-{pull.number}-{base}"
        repository.bare.git("update-ref", f"refs/heads/{entry.branch}", entry.group)
        self.refs.notice(repository, entry.by, "queue")
        occasion = Occasion("merge_group", entry.branch, entry.group, entry.by)
        self.ci.happened(repository, pull.base_ref, occasion)
        return True

    def _merge_group(self, entry: QueueEntry) -> bool:
        pull, group = entry.pull, entry.group
        pull.open = False
        if not pull.repository.bare.move(f"refs/heads/{pull.base_ref}", group, entry.base):
            pull.open = True
            return False
        self.refs.mark_merged(pull, group, entry.by, "queue")
        self.refs.notice(pull.repository, entry.by, "queue")
        return True

    def _leave(self, entry: QueueEntry, why: str) -> None:
        self.refs.leave_queue(entry.pull)
        self.world.effect("queue-left", entry.pull.repository, None, number=entry.pull.number, why=why)
