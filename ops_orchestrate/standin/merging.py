"""The endings of a pull request by real git: merge, squash, rebase, update from the base, and standing orders."""

from __future__ import annotations

from dataclasses import dataclass

from ops_orchestrate.standin import rules
from ops_orchestrate.standin.exchange import Refused
from ops_orchestrate.standin.git import ZERO
from ops_orchestrate.standin.people import User
from ops_orchestrate.standin.pull import AutoMerge, Pull, QueueEntry
from ops_orchestrate.standin.refs import Refs
from ops_orchestrate.standin.world import World

_ADJECTIVE = {"merge": "Merge commits are", "squash": "Squash merges are", "rebase": "Rebase merges are"}


@dataclass(frozen=True, slots=True)
class Order:
    """How to merge."""

    method: str = "merge"
    sha: str | None = None
    title: str | None = None
    message: str | None = None


class Merging:
    """What changes a base or a head at GitHub's own hand."""

    def __init__(self, world: World, refs: Refs) -> None:
        self.world = world
        self.refs = refs

    def merge(self, pull: Pull, by: User, order: Order) -> str:
        """Merge it now; the new commit. Raises Refused 405 or 409 as the REST endpoint answers."""
        if not pull.open:
            raise Refused(405, "Pull Request is not mergeable")
        if pull.draft:
            raise Refused(405, "Pull Request is still a draft")
        if order.sha is not None and order.sha != pull.head_sha:
            raise Refused(409, "Head branch was modified. Review and try the merge again.")
        self._allowed(pull, by, order.method)
        if not rules.compute_mergeable(pull):
            raise Refused(405, "Pull Request is not mergeable")
        return self.do(pull, by, order)

    def _allowed(self, pull: Pull, by: User, method: str) -> None:
        where = pull.repository
        standing = [r for r in where.rules_of(pull.base_ref) if not rules.bypasses(self.world, by, where, r)]
        limited = any(method not in rule.methods or (rule.linear and method == "merge") for rule in standing)
        if method not in where.allow or limited:
            raise Refused(405, f"{_ADJECTIVE[method]} not allowed on this repository.")
        problems = rules.rule_problems(self.world, pull, by)
        if problems:
            head = "" if problems[0][0].classic else "Repository rule violations found\n\n"
            raise Refused(405, head + "\n\n".join(text for _, text in problems))
        if any(rule.merge_queue for rule in standing):
            text = "Changes must be made through the merge queue"
            raise Refused(405, f"Repository rule violations found\n\n{text}\n\n")

    def do(self, pull: Pull, by: User, order: Order) -> str:
        """Write the commit and move the base by compare-and-set."""
        base = pull.repository.branch(pull.base_ref) or ZERO
        commit = self._commit(pull, by, order, base)
        if commit is None:
            raise Refused(405, "Pull Request is not mergeable")
        # Record it before the branch moves: the look at the moved branch would call it "merged by push".
        pull.open = False
        if not pull.repository.bare.move(f"refs/heads/{pull.base_ref}", commit, base):
            pull.open = True
            self.refs.notice(pull.repository, self.world.ghost)
            raise Refused(405, "Base branch was modified. Review and try the merge again.")
        self.refs.mark_merged(pull, commit, by, order.method)
        self.refs.notice(pull.repository, by, "merge")
        return commit

    def _commit(self, pull: Pull, by: User, order: Order, base: str) -> str | None:
        bare = pull.repository.bare
        if order.method == "rebase":
            return bare.replay(base, pull.head_sha)
        tree = bare.merged_tree(base, pull.head_sha)
        if tree is None:
            return None
        merge = order.method == "merge"
        parents = [base, pull.head_sha] if merge else [base]
        title, message = self._text(pull, order, base)
        author = (
            (by.name or by.login, by.email) if merge else (pull.author.name or pull.author.login, pull.author.email)
        )
        return bare.write_commit(tree, parents, f"{title}\n\n{message}".strip() + "\n", author)

    def _text(self, pull: Pull, order: Order, base: str) -> tuple[str, str]:
        if order.method == "merge":
            owner = pull.head_repository.owner.login if pull.head_repository else "unknown"
            title = f"Merge pull request #{pull.number} from {owner}/{pull.head_ref}"
            return order.title or title, pull.title if order.message is None else order.message
        commits = [pull.repository.bare.commit(c).message for c in pull.repository.bare.between(base, pull.head_sha)]
        title = commits[0].split("\n")[0] if len(commits) == 1 else pull.title
        listed = "\n\n".join(f"* {one}" for one in commits) if len(commits) != 1 else commits[0].partition("\n")[2]
        return order.title or f"{title} (#{pull.number})", listed.strip() if order.message is None else order.message

    def update(self, pull: Pull, by: User, expected: str | None) -> str:
        """Merge the base into the head; the new head. Raises Refused 422."""
        repository = pull.head_repository
        if expected is not None and expected != pull.head_sha:
            raise Refused(422, "expected head sha didn’t match current head ref.")
        if not pull.open or repository is None:
            raise Refused(422, "Pull request is closed.")
        base = pull.repository.branch(pull.base_ref) or ZERO
        if not rules.behind(pull):
            raise Refused(422, "There are no new commits on the base branch.")
        tree = pull.repository.bare.merged_tree(base, pull.head_sha)
        if tree is None:
            raise Refused(422, "merge conflict between base and head")
        text = f"Merge branch '{pull.base_ref}' into {pull.head_ref}"
        commit = pull.repository.bare.write_commit(tree, [pull.head_sha, base], text, (by.name or by.login, by.email))
        if repository is not pull.repository:
            repository.bare.git("fetch", "-q", str(pull.repository.bare.path), commit)
        if not self.refs.move(
            repository, f"refs/heads/{pull.head_ref}", commit, pull.head_sha, by=by, how="update-branch"
        ):
            raise Refused(422, "expected head sha didn’t match current head ref.")
        return commit

    def ready(self, pull: Pull, by: User | None) -> bool:
        """Whether everything required is there."""
        return pull.open and not pull.draft and rules.compute_mergeable(pull) and not self._missing(pull, by)

    def _missing(self, pull: Pull, by: User | None) -> bool:
        return bool(rules.rule_problems(self.world, pull, by))

    def order_auto_merge(self, pull: Pull, by: User, order: Order) -> None:
        """A standing order. Raises Refused as the mutation does: not allowed, head moved, or nothing to wait for."""
        if not pull.repository.allow_auto_merge:
            raise Refused(422, "Auto merge is not allowed for this repository")
        if order.sha is not None and order.sha != pull.head_sha:
            raise Refused(422, f"Head sha {order.sha} does not match the expected {pull.head_sha}")
        if self.ready(pull, None):
            raise Refused(422, "Pull request Pull request is in clean status")
        pull.auto_merge = AutoMerge(by, order.method, self.world.now(), order.title, order.message)
        self.world.effect("auto-merge", pull.repository, by, number=pull.number, method=order.method)

    def enqueue(self, pull: Pull, by: User, expected: str | None, jump: bool = False) -> QueueEntry:
        """Put it into the base's merge queue. Raises Refused."""
        if not any(rule.merge_queue for rule in pull.repository.rules_of(pull.base_ref)):
            raise Refused(422, "Pull request merge queue is not enabled for this branch")
        if expected is not None and expected != pull.head_sha:
            raise Refused(422, f"Head sha {expected} does not match the expected {pull.head_sha}")
        if pull.queued is not None:
            raise Refused(422, "Pull request is already in the queue")
        if not self.ready(pull, by):
            raise Refused(422, "Pull request is not mergeable")
        number, node = self.world.ids("MQE")
        pull.queued = self.world.keep(QueueEntry(number, node, pull, by, self.world.now()))
        pull.repository.queue.insert(0 if jump else len(pull.repository.queue), pull.queued)
        self.world.effect("queue-entered", pull.repository, by, number=pull.number, sha=pull.head_sha)
        return pull.queued
