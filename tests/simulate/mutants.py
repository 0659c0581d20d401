"""The standing mutants: each is a defect that some merge bot has had, or that the rules here exist to prevent."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ops_orchestrate.core.merge.pull import BranchRules, Check, Conclusion, Mergeable, MergeState
from ops_orchestrate.core.merge.snapshot import MergeSnapshot
from tests.simulate.ledger import Defect
from tests.simulate.views import PAGE

C = Conclusion
Sees = Callable[[MergeSnapshot], MergeSnapshot]


def _pull(seen: MergeSnapshot, **values: object) -> MergeSnapshot:
    return seen.model_copy(update={"pull": seen.pull.model_copy(update=values)})


def _with(seen: MergeSnapshot, checks: Iterable[Check]) -> MergeSnapshot:
    return _pull(seen, checks=tuple(checks))


def _asking_nothing(rules: BranchRules) -> BranchRules:
    return rules.model_copy(update={"required_checks": ()})


def _empty_is_green(seen: MergeSnapshot) -> MergeSnapshot:
    if seen.pull.checks:
        return seen
    policy = seen.policy.model_copy(update={"ci": "none", "expected_checks": ()})
    return seen.model_copy(update={"policy": policy, "rules": _asking_nothing(seen.rules)})


def _present_is_all(seen: MergeSnapshot) -> MergeSnapshot:
    policy = seen.policy.model_copy(update={"expected_checks": (), "settle": 0.0})
    return seen.model_copy(update={"policy": policy, "rules": _asking_nothing(seen.rules)})


def _skipped_is_green(seen: MergeSnapshot) -> MergeSnapshot:
    silent = (C.SKIPPED, C.NEUTRAL)
    return _with(
        seen,
        (c.model_copy(update={"conclusion": C.SUCCESS}) if c.conclusion in silent else c for c in seen.pull.checks),
    )


def _first_listed(seen: MergeSnapshot) -> MergeSnapshot:
    return _with(seen, {c.name: c for c in reversed(seen.pull.checks)}.values())


def _last_listed(seen: MergeSnapshot) -> MergeSnapshot:
    return _with(seen, {c.name: c for c in seen.pull.checks}.values())


def _any_success(seen: MergeSnapshot) -> MergeSnapshot:
    good = {c.name for c in seen.pull.checks if c.conclusion is C.SUCCESS}
    return _with(seen, (c for c in seen.pull.checks if c.name not in good or c.conclusion is C.SUCCESS))


def _later_start(seen: MergeSnapshot) -> MergeSnapshot:
    """Of one name, what started when another was over replaces it, also in a run that ran beside."""
    checks = seen.pull.checks
    return _with(
        seen,
        (
            c
            for c in checks
            if not any(o.name == c.name and o.id > c.id and 0 < c.completed_at <= o.started_at for o in checks)
        ),
    )


def _never_supersedes(seen: MergeSnapshot) -> MergeSnapshot:
    return _with(seen, (c.model_copy(update={"event": f"{c.event} {c.id}"}) for c in seen.pull.checks))


def _first_page(seen: MergeSnapshot) -> MergeSnapshot:
    names = {c.name for c in seen.pull.checks[:PAGE]}
    rules = seen.rules.model_copy(
        update={"required_checks": tuple(r for r in seen.rules.required_checks if r.name in names)}
    )
    policy = seen.policy.model_copy(update={"expected_checks": ()})
    cut = _pull(seen, checks=seen.pull.checks[:PAGE], complete=True)
    return cut.model_copy(update={"rules": rules, "policy": policy})


def _cut_is_whole(seen: MergeSnapshot) -> MergeSnapshot:
    if seen.pull.complete:
        return seen
    policy = seen.policy.model_copy(update={"expected_checks": ()})
    whole = _pull(seen, complete=True)
    return whole.model_copy(update={"rules": _asking_nothing(seen.rules), "policy": policy})


def _unknown_merges(seen: MergeSnapshot) -> MergeSnapshot:
    if seen.pull.mergeable is not Mergeable.UNKNOWN:
        return seen
    return _pull(seen, mergeable=Mergeable.MERGEABLE, merge_state=MergeState.CLEAN)


def _unknown_is_good(seen: MergeSnapshot) -> MergeSnapshot:
    return _with(
        seen,
        (c.model_copy(update={"conclusion": C.SUCCESS}) if c.conclusion is C.UNKNOWN else c for c in seen.pull.checks),
    )


def _no_statuses(seen: MergeSnapshot) -> MergeSnapshot:
    names = {c.name for c in seen.pull.checks if c.kind == "run"}
    kept = tuple(r for r in seen.rules.required_checks if r.app is not None)
    policy = seen.policy.model_copy(
        update={"expected_checks": tuple(n for n in seen.policy.expected_checks if n in names)}
    )
    plain = _with(seen, (c for c in seen.pull.checks if c.kind == "run"))
    rules = seen.rules.model_copy(update={"required_checks": kept})
    return plain.model_copy(update={"rules": rules, "policy": policy})


def _only_required(seen: MergeSnapshot) -> MergeSnapshot:
    names = {*seen.policy.expected_checks, *(r.name for r in seen.rules.required_checks)}
    return _with(seen, (c for c in seen.pull.checks if c.name in names))


def _any_app(seen: MergeSnapshot) -> MergeSnapshot:
    required = tuple(r.model_copy(update={"app": None}) for r in seen.rules.required_checks)
    return seen.model_copy(update={"rules": seen.rules.model_copy(update={"required_checks": required})})


def _any_approval(seen: MergeSnapshot) -> MergeSnapshot:
    return _pull(seen, reviews=tuple(r.model_copy(update={"commit": seen.pull.head}) for r in seen.pull.reviews))


def _any_yes(seen: MergeSnapshot) -> MergeSnapshot:
    return seen.model_copy(update={"approved": seen.pull.head if seen.approved else ""})


def _any_head(seen: MergeSnapshot) -> MergeSnapshot:
    return seen.model_copy(update={"verified_head": seen.pull.head if seen.verified_head else ""})


def _any_base(seen: MergeSnapshot) -> MergeSnapshot:
    return seen.model_copy(update={"verified_base": seen.base if seen.verified_base else "", "checks_base": seen.base})


def _any_target(seen: MergeSnapshot) -> MergeSnapshot:
    return _pull(seen, base_ref=seen.policy.integration)


def _ignores_threads(seen: MergeSnapshot) -> MergeSnapshot:
    return _pull(seen, threads=())


MUTANTS: tuple[Defect, ...] = (
    Defect("no sha with the merge", no_sha=True, shows_as="a head that was not verified"),
    Defect("an empty rollup is green", _empty_is_green),
    Defect("what is there is all there is", _present_is_all),
    Defect("skipped is green", _skipped_is_green),
    Defect("of one name the first listed", _first_listed),
    Defect("of one name the last listed", _last_listed),
    Defect("of one name any success", _any_success),
    Defect("a later start replaces a twin", _later_start),
    Defect("nothing is ever superseded", _never_supersedes),
    Defect("the first page only", _first_page),
    Defect("a cut answer is whole", _cut_is_whole),
    Defect("mergeable unknown is yes", _unknown_merges),
    Defect("an unknown conclusion is good", _unknown_is_good),
    Defect("commit statuses are ignored", _no_statuses),
    Defect("only required checks", _only_required),
    Defect("a required check from any app", _any_app),
    Defect("an approval of any commit", _any_approval),
    Defect("a yes for any commit", _any_yes),
    Defect("any head is the verified one", _any_head),
    Defect("any base is the verified one", _any_base),
    Defect("whatever base it is for", _any_target),
    Defect("open conversations are ignored", _ignores_threads),
    Defect("retried blindly after a 5xx", blind_retry=True),
    Defect("a job is delivered at most once", at_most_once=True),
    Defect("405 means done", refused_is_done=True),
)
