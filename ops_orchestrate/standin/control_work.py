"""What other people and machines do to a repository, at the control side's word: pushes, reviews, issues, CI ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ops_orchestrate.standin.check import CheckRun, Status, Suite
from ops_orchestrate.standin.ci import Occasion, finish, set_status
from ops_orchestrate.standin.control import Curtain
from ops_orchestrate.standin.git import ZERO
from ops_orchestrate.standin.issue import Comment, Issue
from ops_orchestrate.standin.merging import Order
from ops_orchestrate.standin.people import User
from ops_orchestrate.standin.pull import Pull, Review, Thread
from ops_orchestrate.standin.rest.issues import label_of, new_issue
from ops_orchestrate.standin.rest.pulls import new_pull
from ops_orchestrate.standin.rest.reviews import add_reply, add_review, add_thread
from ops_orchestrate.standin.world import ACTIONS


class Control(Curtain):
    """Everything that the control side can do."""

    def pull(self, name: str, number: int) -> Pull:
        """A pull request. Raises KeyError."""
        found = self.repository(name).pulls.get(number)
        if found is None:
            raise KeyError(f"{name} has no pull request #{number}")
        return found

    def push(
        self,
        name: str,
        branch: str,
        files: Mapping[str, str | None] | None = None,
        *,
        by: str = "somebody",
        message: str = "Change",
        start: str | None = None,
        force: bool = False,
    ) -> str:
        """A commit by somebody on a branch, made from `start` (default: the default branch) where it is new.

        `files` None: no new commit, the branch is set to `start`. With `force`, the branch is begun anew.
        """
        with self.world.lock:
            repository, user = self.repository(name), self.world.user(by)
            old = repository.branch(branch)
            origin = repository.bare.resolve(start or repository.default_branch)
            if origin is None and (start or files is None):
                raise KeyError(f"{name} has no commit {start or repository.default_branch!r} to start from")
            parent = origin if force or old is None or files is None else old
            who = (user.login, user.email)
            new = parent or ZERO if files is None else repository.bare.write_files(parent, files, message, who)
            moved = self.tide.refs.move(repository, f"refs/heads/{branch}", new, old or ZERO, by=user, how="control")
            if not moved:
                raise RuntimeError(f"{name}:{branch} moved meanwhile")
            self._done()
            return new

    def delete_branch(self, name: str, branch: str, by: str = "somebody") -> None:
        """A branch is removed."""
        with self.world.lock:
            repository = self.repository(name)
            old = repository.branch(branch)
            if old is None:
                raise KeyError(f"{name} has no branch {branch!r}")
            self.tide.refs.move(repository, f"refs/heads/{branch}", ZERO, old, by=self.world.user(by), how="control")
            self._done()

    def notice(self, name: str, by: str = "somebody") -> None:
        """React to what was changed in the bare repository directly."""
        with self.world.lock:
            self.tide.refs.notice(self.repository(name), self.world.user(by))
            self._done()

    def open_pull(
        self, name: str, head: str, base: str, title: str = "A change", by: str = "somebody", **more: Any
    ) -> Pull:
        """Somebody opens a pull request; `more`: body, draft, fork (name of the head's repository)."""
        with self.world.lock:
            into = self.repository(name), base
            source = self.repository(more.pop("fork", None) or name), head
            for repository, branch in (into, source):
                if repository.branch(branch) is None:
                    raise KeyError(f"{repository.full_name} has no branch {branch!r}: push it first")
            text, draft = str(more.get("body", "")), bool(more.get("draft", False))
            user = self.world.user(by)
            pull = new_pull(self.tide, into, source, by=user, title=title, body=text, draft=draft)
            self._done()
            return pull

    def change_pull(self, name: str, number: int, **fields: Any) -> None:
        """Set fields of a pull request: title, body, draft, base_ref, open, labels (names), reviewers (logins)."""
        with self.world.lock:
            pull = self.pull(name, number)
            for key, value in fields.items():
                self._set(pull, key, value)
            pull.mergeable, pull.asked, pull.updated_at = None, 0, self.world.now()
            self._done()

    def _set(self, pull: Pull, key: str, value: Any) -> None:
        if key == "open" and not value:
            self.tide.refs.close(pull, self.world.user("somebody"))
        elif key == "base_ref":
            pull.base_ref, pull.base_sha = value, pull.repository.refs[f"refs/heads/{value}"]
        elif key == "labels":
            pull.labels = [label_of(self.world, pull.repository, one) for one in value]
        elif key in {"reviewers", "assignees"}:
            setattr(pull, key, [self.world.user(one) for one in value])
        elif hasattr(pull, key):
            setattr(pull, key, value)
        else:
            raise ValueError(f"a pull request has no field {key!r}")

    def claim_mergeable(self, name: str, number: int, *values: bool | None) -> None:
        """What the next requests that ask for it learn of its mergeability, whatever is true; one value each."""
        with self.world.lock:
            self.pull(name, number).claims = list(values)

    def review(
        self, name: str, number: int, by: str, state: str, *, body: str = "", commit: str | None = None
    ) -> Review:
        """APPROVED, CHANGES_REQUESTED, COMMENTED or DISMISSED, on the head or an older commit."""
        with self.world.lock:
            pull = self.pull(name, number)
            one = add_review(
                self.world, pull, self.world.user(by), state=state, body=body, commit=commit or pull.head_sha
            )
            self._done()
            return one

    def thread(self, name: str, number: int, by: str, body: str, *, path: str = "README.md", line: int = 1) -> Thread:
        """A review thread."""
        with self.world.lock:
            return add_thread(self.world, self.pull(name, number), self.world.user(by), path=path, line=line, body=body)

    def reply(self, thread: Thread | str, by: str, body: str) -> None:
        """One more comment in a thread."""
        with self.world.lock:
            one = self.world.nodes[thread] if isinstance(thread, str) else thread
            add_reply(self.world, one, self.world.user(by), body)

    def resolve(self, thread: Thread | str, by: str | None) -> None:
        """Resolve a thread, or with None open it again."""
        with self.world.lock:
            one = self.world.nodes[thread] if isinstance(thread, str) else thread
            one.resolved_by = self.world.user(by) if by else None
            self._done()

    def comment(self, name: str, number: int, by: str, body: str) -> Comment:
        """A comment in the conversation of an issue or pull request."""
        with self.world.lock:
            repository = self.repository(name)
            one = repository.issues.get(number) or self.pull(name, number)
            made = Comment(*self.world.ids("IC"), self.world.user(by), body, self.world.now())
            one.comments.append(self.world.keep(made))
            one.updated_at = self.world.now()
            return made

    def merge(self, name: str, number: int, by: str = "somebody", method: str = "merge") -> str:
        """Somebody with the power to do so merges it, past every rule."""
        with self.world.lock:
            pull, user = self.pull(name, number), self.world.user(by)
            sha = self.tide.merging.do(pull, user, Order(method))
            self._done()
            return sha

    def auto_merge(self, name: str, number: int, by: str, method: str = "squash") -> None:
        """Somebody orders it merged as soon as that is possible."""
        with self.world.lock:
            self.tide.merging.order_auto_merge(self.pull(name, number), self.world.user(by), Order(method))
            self._done()

    def issue(self, name: str, title: str, body: str = "", by: str = "somebody", **more: Any) -> Issue:
        """An issue; `more`: labels (names), open, parent and blocked_by (issues)."""
        with self.world.lock:
            repository = self.repository(name)
            one = new_issue(self.world, repository, by, title, body)
            one.labels = [label_of(self.world, repository, label) for label in more.get("labels", [])]
            one.open = bool(more.get("open", True))
            for blocker in more.get("blocked_by", []):
                self.block(one, blocker)
            if parent := more.get("parent"):
                one.parent = parent
                parent.sub_issues.append(one)
            return one

    @staticmethod
    def block(issue: Issue, blocker: Issue) -> None:
        """One issue waits for another."""
        issue.blocked_by.append(blocker)
        blocker.blocking.append(issue)

    def check(self, name: str, sha: str, check: str, conclusion: str, app: int = ACTIONS, **fields: Any) -> CheckRun:
        """A check run of its own suite on a commit; `in_progress` and the like leave it running."""
        with self.world.lock:
            repository = self.repository(name)
            suite = Suite(*self.world.ids("CS"), repository, self.world.apps[app], sha, str(fields.pop("branch", "")))
            suite.created_at = self.world.now()
            one = CheckRun(*self.world.ids("CR"), suite, check, "queued", None, self.world.now(), **fields)
            one.started_at = self.world.now()
            repository.suites.append(self.world.keep(suite))
            repository.check_runs[one.id] = self.world.keep(one)
            finish(self.world, one, conclusion)
            self._done()
            return one

    def status(self, name: str, sha: str, context: str, state: str, by: str = "ci-bot", **fields: Any) -> Status:
        """A commit status."""
        with self.world.lock:
            one = set_status(
                self.world,
                self.repository(name),
                sha,
                context=context,
                state=state,
                creator=self.world.user(by),
                **fields,
            )
            self._done()
            return one

    def release(self, name: str | None = None, result: str | None = None, **match: str | None) -> int:
        """End held or later CI work now (`sha`, `workflow`, `job`, `what` choose); how much it was."""
        with self.world.lock:
            done = self.tide.ci.release(result, repository=name, **match)
            self._done()
            return done

    def trigger(self, name: str, event: str, branch: str | None = None, by: str = "somebody") -> None:
        """Start what runs on another event (`schedule`, `workflow_dispatch`) at a branch's head."""
        with self.world.lock:
            repository = self.repository(name)
            at = branch or repository.default_branch
            occasion = Occasion(event, at, repository.refs[f"refs/heads/{at}"], self.world.user(by))
            self.tide.ci.happened(repository, at, occasion)
            self._done()

    def pending(self) -> list[dict[str, Any]]:
        """CI work that is still to come."""
        with self.world.lock:
            return [work.as_json() for work in self.tide.ci.pending]

    def queue(self, *, open: bool) -> None:
        """Hold the merge queues, or let them go on."""
        with self.world.lock:
            self.world.queue_open = open
            self._done()

    def user(self, login: str) -> User:
        """A person by login."""
        return self.world.user(login)

    def _done(self) -> None:
        self.tide.advance()
        self.world.moved.notify_all()
