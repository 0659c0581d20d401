"""Refs of ours that go when they are old: those of merged work alone. What is not merged stays, however old."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ops_orchestrate.adapters import tidy as adapters_tidy
from ops_orchestrate.adapters.history import PREVIEW
from ops_orchestrate.core.attempt import StageKey
from tests.adapters.gitshop import KEY, Shop, make_shop
from tests.adapters.test_parcels import Desk, host
from tests.repos import commit, git

LATER = 10_000_000_000.0
OTHER = StageKey(run="run-1", task="t2", attempt=1, fence=8)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return make_shop(tmp_path)


def _refs(shop: Shop) -> set[str]:
    return set(git("for-each-ref", "--format=%(refname)", "refs/ops/", cwd=shop.mirror).splitlines())


def _attempt(shop: Shop, key: StageKey) -> str:
    tree = shop.tree(key)
    commit(Path(tree.path), {f"src/{key.task}.txt": "x\n"}, f"Do {key.task}")
    head = shop.collect(tree, key=key).head
    assert head
    return head


def _merge(shop: Shop, head: str) -> None:
    """As the engine merges: a squash whose trailer names the attempt."""
    intent = shop.intent(head, shop.base(), message="Do t1\n\nOps-Run: run-1\nOps-Task: t1\nOps-Attempt: 1\n")
    assert shop.workshop.mirrors.push(shop.repo, intent.commit, "dev", intent.base).code == 0
    shop.base()


def test_merged_work_goes_and_unmerged_work_stays(shop: Shop) -> None:
    head = _attempt(shop, KEY)
    _attempt(shop, OTHER)
    kept = shop.tree(KEY)
    commit(Path(kept.path), {"src/more.txt": "x\n"}, "More")
    shop.salvage(kept)
    before = _refs(shop)
    _merge(shop, head)
    merged = {one.ref for one in shop.workshop.own_branches(shop.repo) if one.merged and one.ref in before}
    salvaged = {ref for ref in before if ref.startswith("refs/ops/salvage/")}
    assert salvaged, "the same attempt has left what it did not deliver"
    merged -= salvaged
    assert merged, "the trailer is known again"
    assert shop.workshop.tidy(shop.repo, before=0) == 0
    assert _refs(shop) == before, "nothing is old yet"
    assert shop.workshop.tidy(shop.repo, before=LATER) == len(merged)
    assert _refs(shop) == before - merged
    assert any("/t2/" in ref for ref in _refs(shop))


def test_of_what_travelled_previews_go_and_heads_that_are_not_merged_stay(tmp_path: Path, shop: Shop) -> None:
    post = Desk()
    first = host("first", shop.upstream, tmp_path, post)
    head = _attempt(first, KEY)
    second = host("second", shop.upstream, tmp_path, post)
    preview = second.workshop.preview(second.repo, second.base(), head)
    assert _refs(second) == {f"refs/ops/parcels/{head}", f"refs/ops/parcels/{preview.commit}"}
    assert second.workshop.tidy(second.repo, before=LATER) == 1
    assert _refs(second) == {f"refs/ops/parcels/{head}"}


def test_a_head_that_has_travelled_goes_once_it_is_merged_by_a_squash(tmp_path: Path, shop: Shop) -> None:
    post = Desk()
    first = host("first", shop.upstream, tmp_path, post)
    heads = [_attempt(first, key) for key in (KEY, OTHER)]
    second = host("second", shop.upstream, tmp_path, post)
    for head in heads:
        second.workshop.preview(second.repo, second.base(), head)
    told = f"Do t1\n\nOps-Run: run-1\nOps-Task: t1\nOps-Merge-Key: t1/{heads[0]}\n"
    intent = second.intent(heads[0], second.base(), message=told)
    assert second.workshop.mirrors.push(second.repo, intent.commit, "dev", intent.base).code == 0
    second.base()
    second.workshop.tidy(second.repo, before=LATER)
    assert _refs(second) == {f"refs/ops/parcels/{heads[1]}"}


def test_a_preview_that_alone_holds_unmerged_work_stays(tmp_path: Path, shop: Shop) -> None:
    post = Desk()
    first = host("first", shop.upstream, tmp_path, post)
    head = _attempt(first, KEY)
    preview = first.workshop.preview(first.repo, first.base(), head)
    third = host("third", shop.upstream, tmp_path, post)
    third.base()
    third.workshop.mirrors.bring(third.repo, preview.commit)
    assert _refs(third) == {f"refs/ops/parcels/{preview.commit}"}
    assert third.workshop.tidy(third.repo, before=LATER) == 0


def test_work_that_an_agent_calls_a_preview_stays(tmp_path: Path, shop: Shop) -> None:
    post = Desk()
    first = host("first", shop.upstream, tmp_path, post)
    earlier = _attempt(first, OTHER)
    tree = first.tree(KEY)
    git("commit", "--quiet", "--allow-empty", "-m", PREVIEW, cwd=Path(tree.path))
    made = git("commit-tree", "-p", tree.base, "-p", earlier, "-m", PREVIEW, f"{tree.base}^{{tree}}", cwd=first.mirror)
    first.workshop.mirrors.send(first.repo, made.strip())
    plain = first.collect(tree, key=KEY).head
    assert plain
    assert first.workshop.tidy(first.repo, before=LATER) == 0
    assert {f"refs/ops/parcels/{made.strip()}", f"refs/ops/parcels/{plain}"} <= _refs(first)


def test_without_a_mirror_there_is_nothing_to_tidy(tmp_path: Path, shop: Shop) -> None:
    other = host("other", shop.upstream, tmp_path, Desk())
    assert other.workshop.tidy(other.repo, before=LATER) == 0


def test_many_objects_become_one_pack_under_an_agent_that_borrows_them(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters_tidy, "MANY_LOOSE", 1)
    at_work = shop.tree(OTHER)
    head = _attempt(shop, KEY)
    dropped = git("hash-object", "-w", "--stdin", cwd=shop.mirror, stdin="nobody's\n")
    shop.workshop.tidy(shop.repo, before=0)
    assert git("cat-file", "-t", dropped, cwd=shop.mirror) == "blob", "it is not old yet"
    shop.workshop.tidy(shop.repo, before=time.time() + 10)
    assert git("cat-file", "-t", dropped, cwd=shop.mirror, check=False) == ""
    assert git("count-objects", cwd=shop.mirror).startswith("0 objects")
    assert git("cat-file", "-t", head, cwd=shop.mirror) == "commit"
    commit(Path(at_work.path), {"src/later.txt": "x\n"}, "Later")
    git("fsck", "--connectivity-only", cwd=Path(at_work.path))


def _mirrors(shop: Shop) -> list[str]:
    return sorted(path.name for path in shop.mirror.parent.glob("*.git"))


def test_a_mirror_that_nobody_needs_goes_unless_it_holds_work_that_is_nowhere_else(shop: Shop) -> None:
    """Of no run any more, and not written to for long."""
    mirror = [shop.mirror.name]
    head = _attempt(shop, KEY)
    drop = shop.workshop.drop_mirrors
    assert drop(set(), before=LATER) == [], "an attempt that is not merged"
    _merge(shop, head)
    assert drop({shop.repo.key}, before=LATER) == [], "a run names it"
    assert drop(set(), before=0) == [], "it is in use"
    assert drop(set(), before=LATER) == [], "its tree borrows from it"
    shop.workshop.discard_tree(shop.repo, KEY)
    with shop.workshop.mirrors.lock(shop.repo):
        assert drop(set(), before=LATER) == [], "somebody works with it"
    assert _mirrors(shop) == mirror
    assert drop(set(), before=LATER) == [shop.repo.key]
    assert _mirrors(shop) == []
    assert shop.base(), "and it is there again when it is needed"


def test_a_mirror_with_salvaged_work_stays_for_ever(shop: Shop) -> None:
    kept = shop.tree(KEY)
    commit(Path(kept.path), {"src/more.txt": "x\n"}, "More")
    shop.salvage(kept)
    shop.workshop.discard_tree(shop.repo, KEY)
    assert shop.workshop.drop_mirrors(set(), before=LATER) == []
