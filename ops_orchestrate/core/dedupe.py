"""Which findings are one defect, whoever noticed it: union-find over fingerprints, names and mentions.

Two findings are one where they have the same fingerprint, where they share a name (`Finding.names`), or where
the text of one names the other: a Sentry issue in an issue's or ticket's text, a Linear identifier in a title.
The order of the findings does not matter, and the time is linear in them and in their texts: nothing is sorted but
the members of a defect, and whoever stands for a name of several is the first of these in that order.

A text is weaker than a name, so it has to be plain: one that names several things of a source is a list, and
names none; who waits for something is not the same thing; and what a stranger wrote (`hold`) can join the one
defect it names, never two that others reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ops_orchestrate.core.finding import Finding, FindingKind
from ops_orchestrate.core.mentions import LINEAR, SENTRY, identifiers, names_in, same

#: Kinds whose text a person wrote about one thing. A log or an error's title is whatever somebody raised.
_WRITTEN = frozenset({FindingKind.REQUESTED, FindingKind.ISSUE, FindingKind.TICKET, FindingKind.CHANGE})

_Scope = tuple[str, str]


class _Sets:
    """Union-find over the findings' numbers; the smallest number stands for its set."""

    def __init__(self, count: int) -> None:
        self._up = list(range(count))
        self.joined = False

    def find(self, at: int) -> int:
        while self._up[at] != at:
            self._up[at] = self._up[self._up[at]]
            at = self._up[at]
        return at

    def join(self, one: int, other: int) -> None:
        self.joined = True
        low, high = sorted((self.find(one), self.find(other)))
        self._up[high] = low


def stable(finding: Finding) -> tuple[str, ...]:
    """The place of a finding among others: by what it is, never by when it came in."""
    return (
        finding.project,
        finding.repo,
        finding.kind,
        finding.fingerprint,
        finding.source,
        finding.title,
        finding.detail,
    )


def same_defects(findings: Sequence[Finding]) -> list[list[Finding]]:
    """The findings, parted into defects: these as they come, the members of each in `stable` order."""
    sets = _Sets(len(findings))
    known = _known(findings, sets)
    # All of them before the first is acted upon: whom a text means must not depend on who was joined before.
    mentions = {at: _mentioned(finding, known, sets) for at, finding in enumerate(findings)} if known else {}
    for at, targets in mentions.items():
        if not findings[at].hold:
            for target in targets:
                _join_by_text(at, target, findings, sets)
    if mentions:
        _join_strangers(findings, mentions, sets)
    if not sets.joined:
        return [[finding] for finding in findings]
    groups: dict[int, list[Finding]] = {}
    for at, finding in enumerate(findings):
        groups.setdefault(sets.find(at), []).append(finding)
    return [sorted(group, key=stable) if len(group) > 1 else group for group in groups.values()]


def _known(findings: Sequence[Finding], sets: _Sets) -> dict[_Scope, dict[str, int]]:
    """Join what shares a fingerprint or a name; returns whose each name is, by project and repository."""
    prints: dict[_Scope, int] = {}
    known: dict[_Scope, dict[str, int]] = {}
    for at, finding in enumerate(findings):
        first = prints.setdefault((finding.project, finding.fingerprint), at)
        if first != at:
            sets.join(at, first)
        for name in finding.names:
            owners = known.setdefault((finding.project, finding.repo), {})
            key = same(name)
            owner = owners.setdefault(key, at)
            if owner != at:
                sets.join(at, owner)
                if stable(finding) < stable(findings[owner]):
                    owners[key] = at
    return known


def _mentioned(finding: Finding, known: Mapping[_Scope, Mapping[str, int]], sets: _Sets) -> tuple[int, ...]:
    """The findings that the text of this one is about: at most one of each source."""
    owners = known.get((finding.project, finding.repo))
    if not owners or finding.kind not in _WRITTEN:
        return ()
    own, waits = {same(name) for name in finding.names}, {same(name) for name in finding.blocked_by}
    texts = f"{finding.title}\n{finding.detail}"
    words = [f"{SENTRY}:{word}" for word in identifiers(texts)]
    words += [f"{LINEAR}:{word}" for word in identifiers(finding.title)]
    sure = [name for name in names_in(texts) if name.startswith(SENTRY)] + [
        name for name in names_in(finding.title) if name.startswith(LINEAR)
    ]
    named = {key for name in sure if (key := same(name)) not in own and key not in waits}
    named |= {key for name in words if (key := same(name)) in owners and key not in own and key not in waits}
    return tuple(owners[key] for source in (SENTRY, LINEAR) for key in _only(named, source, owners, sets))


def _only(named: Iterable[str], source: str, owners: Mapping[str, int], sets: _Sets) -> tuple[str, ...]:
    """The one thing of that source that is named; none where it is several. Two names of one thing are one."""
    keys = sorted(key for key in named if key.startswith(f"{source}:"))
    things = {sets.find(owners[key]) if key in owners else key for key in keys}
    return (keys[0],) if len(things) == 1 and keys[0] in owners else ()


def _join_by_text(at: int, target: int, findings: Sequence[Finding], sets: _Sets) -> None:
    """Join, unless the other one waits for this one: then they are two."""
    mine = {same(name) for name in findings[at].names}
    if not mine.intersection(same(name) for name in findings[target].blocked_by):
        sets.join(at, target)


def _join_strangers(findings: Sequence[Finding], mentions: Mapping[int, Sequence[int]], sets: _Sets) -> None:
    """What only strangers reported joins the one trusted defect that its texts name."""
    trusted = {sets.find(at) for at, finding in enumerate(findings) if not finding.hold}
    wanted: dict[int, set[int]] = {}
    for at, targets in mentions.items():
        if sets.find(at) not in trusted:
            wanted.setdefault(sets.find(at), set()).update(sets.find(target) for target in targets)
    for stranger, named in wanted.items():
        meant = named & trusted
        if len(meant) == 1:
            sets.join(stranger, meant.pop())
