"""What GitHub makes of a pull request: mergeable or not, what its rules still miss, its reviews' sum, its state."""

from __future__ import annotations

from ops_orchestrate.standin.check import PASSING, CheckRun, Status, latest_runs, latest_statuses, rolled_up
from ops_orchestrate.standin.people import Installation, User, at_least
from ops_orchestrate.standin.pull import Pull, Review
from ops_orchestrate.standin.repository import Protection, Repository
from ops_orchestrate.standin.world import World

_LATE = "Head branch is out of date with the base branch."


def look_mergeable(world: World, pull: Pull) -> bool | None:
    """What a read of the pull request learns: None until it has been asked for often enough, then git's verdict."""
    if pull.claims:
        world.claimed.add(pull)
        return pull.claims[0]
    if not pull.open:
        return pull.mergeable
    base = pull.repository.branch(pull.base_ref) or ""
    if pull.mergeable is None or pull.computed_for != (base, pull.head_sha):
        pull.mergeable = None
        if pull.asked < world.reads_before_mergeable:
            pull.asked += 1
            return None
        compute_mergeable(pull)
    return pull.mergeable


def compute_mergeable(pull: Pull) -> bool:
    """Let git merge it for a try; a clean result is kept as refs/pull/N/merge."""
    bare, base = pull.repository.bare, pull.repository.branch(pull.base_ref) or ""
    if pull.mergeable is None or pull.computed_for != (base, pull.head_sha):
        tree = bare.merged_tree(base, pull.head_sha)
        pull.mergeable, pull.computed_for, pull.merge_commit = tree is not None, (base, pull.head_sha), None
        if tree is not None:
            text = f"Merge {pull.head_sha} into {base}"
            pull.merge_commit = bare.write_commit(tree, [base, pull.head_sha], text, None)
            bare.git("update-ref", f"refs/pull/{pull.number}/merge", pull.merge_commit)
    return bool(pull.mergeable)


def behind(pull: Pull) -> bool:
    """Whether the base has commits that the head has not."""
    base = pull.repository.branch(pull.base_ref) or ""
    return not pull.repository.bare.is_ancestor(base, pull.head_sha)


def required_checks(pull: Pull) -> list[tuple[str, int | None]]:
    """Every required context of the base, once."""
    return list(dict.fromkeys(one for rule in pull.repository.rules_of(pull.base_ref) for one in rule.checks))


def is_required(pull: Pull | None, check: CheckRun | Status) -> bool:
    """Whether the base of a pull request requires this very check."""
    if pull is None:
        return False
    if isinstance(check, CheckRun):
        return any(name == check.name and app in {None, check.suite.app.id} for name, app in required_checks(pull))
    return any(name == check.context and app is None for name, app in required_checks(pull))


def check_problems(pull: Pull, rule: Protection, sha: str) -> list[str]:
    """Required checks of a rule that a commit lacks, in GitHub's words."""
    repository, missing = pull.repository, []
    runs = latest_runs(repository.checks_of(sha))
    statuses = latest_statuses(repository.statuses_of(sha))
    for context, app in rule.checks:
        # Of one name and app the newest decides, whatever suite it is in: a workflow started anew can unblock.
        newest = {r.suite.app.id: r for r in runs if r.name == context and app in {None, r.suite.app.id}}
        ends = [r.conclusion or "pending" for r in newest.values()]
        ends += [s.state for s in statuses if s.context == context and app is None]
        if not ends:
            missing.append(f'Required status check "{context}" is expected.')
        elif "pending" in ends:
            missing.append(f'Required status check "{context}" is pending.')
        elif any(end not in PASSING for end in ends):
            missing.append(f'Required status check "{context}" is failing.')
    return missing


def votes(pull: Pull) -> list[Review]:
    """The newest vote of everybody; a later comment takes none back."""
    newest: dict[str, Review] = {}
    for review in pull.reviews:
        if review.state in {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}:
            newest[review.author.login] = review
    return [review for review in newest.values() if review.state != "DISMISSED"]


def counting_votes(world: World, pull: Pull) -> list[Review]:
    """The votes of those who may write."""
    return [v for v in votes(pull) if at_least(world.level(v.author, pull.repository), "write")]


def needed_approvals(pull: Pull) -> int:
    """Of the strictest rule."""
    return max((rule.approvals for rule in pull.repository.rules_of(pull.base_ref)), default=0)


def review_decision(world: World, pull: Pull) -> str | None:
    """APPROVED, CHANGES_REQUESTED, REVIEW_REQUIRED, or None where no rule asks for reviews and nobody objects."""
    counted = counting_votes(world, pull)
    if any(vote.state == "CHANGES_REQUESTED" for vote in counted):
        return "CHANGES_REQUESTED"
    needed = needed_approvals(pull)
    if not needed:
        return None
    return "APPROVED" if sum(v.state == "APPROVED" for v in counted) >= needed else "REVIEW_REQUIRED"


def review_problems(world: World, pull: Pull) -> list[str]:
    """What the reviews still miss, in GitHub's words."""
    decision, needed = review_decision(world, pull), needed_approvals(pull)
    if decision == "CHANGES_REQUESTED" and needed:
        return ["Changes have been requested by a reviewer with write access."]
    if decision == "REVIEW_REQUIRED":
        noun = "review is" if needed == 1 else "reviews are"
        return [f"At least {needed} approving {noun} required by reviewers with write access."]
    return []


def bypasses(
    world: World, user: User | None, repository: Repository, rule: Protection, installation: Installation | None = None
) -> bool:
    """Whether a rule lets this user pass."""
    if user is None:
        return False
    if rule.classic:
        return not rule.enforce_admins and world.level(user, repository, installation) == "admin"
    return user.login in rule.bypass


def rule_problems(world: World, pull: Pull, by: User | None) -> list[tuple[Protection, str]]:
    """Everything that the rules still want before `by` may merge it."""
    problems: list[tuple[Protection, str]] = []
    for rule in pull.repository.rules_of(pull.base_ref):
        if bypasses(world, by, pull.repository, rule):
            continue
        texts = check_problems(pull, rule, pull.head_sha)
        if rule.approvals:
            texts += review_problems(world, pull)
        if rule.resolve_threads and any(not thread.resolved for thread in pull.threads):
            texts.append("A conversation must be resolved before this pull request can be merged.")
        if rule.strict and behind(pull):
            texts.append(_LATE)
        problems += [(rule, text) for text in texts]
    return problems


def merge_state(world: World, pull: Pull) -> str:
    """`mergeStateStatus`, in GitHub's capitals."""
    mergeable = pull.claims[0] if pull.claims else pull.mergeable
    if not pull.open or mergeable is None:
        return "UNKNOWN"
    if not mergeable:
        return "DIRTY"
    if pull.draft:
        return "DRAFT"
    problems = [text for _, text in rule_problems(world, pull, None)]
    if any(text != _LATE for text in problems):
        return "BLOCKED"
    if problems:
        return "BEHIND"
    repository = pull.repository
    rollup = rolled_up(repository.checks_of(pull.head_sha), repository.statuses_of(pull.head_sha))
    return "CLEAN" if rollup in {None, "SUCCESS"} else "UNSTABLE"
