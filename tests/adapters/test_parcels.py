"""Commits that travel between hosts: two workshops on one upstream, each with a folder of its own, and a post."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from ops_orchestrate.adapters.github.publishing import publish
from ops_orchestrate.adapters.workshop import GitWorkshop
from ops_orchestrate.config import Settings
from ops_orchestrate.core.attempt import StageKey
from ops_orchestrate.core.change import LandingEnd
from ops_orchestrate.errors import GitError
from ops_orchestrate.ledger import connect
from tests.adapters.gitshop import Shop, files
from tests.repos import Upstream, commit, git, make_upstream, repository_value

NEXT = StageKey(run="run-1", task="t1", attempt=2, fence=8)


class Desk:
    """A post that keeps what it is given in memory. Implements adapters.parcels.Post."""

    def __init__(self) -> None:
        self.parcels: dict[tuple[str, str], bytes] = {}

    def put(
        self, repo: str, name: str, bundle: bytes, *, also: tuple[str, ...] = (), sender: str = "", most: int = 0
    ) -> int:
        held = len(bundle) + sum(map(len, self.parcels.values()))
        if not most or held <= most:
            self.parcels |= {(repo, one): bundle for one in (name, *also)}
        return held

    def get(self, repo: str, name: str) -> bytes | None:
        return self.parcels.get((repo, name))


@pytest.fixture
def post() -> Desk:
    return Desk()


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return make_upstream(tmp_path)


def host(name: str, upstream: Upstream, tmp_path: Path, post: Desk, carry_mb: float = 16) -> Shop:
    """A machine: a workshop in a folder of its own."""
    state = tmp_path / name
    made = GitWorkshop(state, Settings(data_dir=state, carry_mb=carry_mb), None, post)
    return Shop(upstream, repository_value(upstream), made, state)


def made_by(shop: Shop) -> tuple[str, str]:
    """(base, head) of an attempt on that machine."""
    tree = shop.tree()
    commit(Path(tree.path), {"src/new.txt": "new\n"}, "Do it")
    head = shop.collect(tree).head
    assert head
    return tree.base, head


def test_every_step_after_an_attempt_can_be_another_machines(upstream: Upstream, tmp_path: Path, post: Desk) -> None:
    base, head = made_by(host("agent", upstream, tmp_path, post))
    audit = host("audit", upstream, tmp_path, post)
    preview = audit.workshop.preview(audit.repo, base, head)
    assert [one.path for one in audit.workshop.diff(audit.repo, base, head).files] == ["src/new.txt"]
    with audit.workshop.checkout(audit.repo, preview.commit) as path:
        assert (path / "src/new.txt").read_text() == "new\n"
    ship = host("ship", upstream, tmp_path, post)
    # Only the tree that was verified is named, which no commit of upstream has.
    merge = ship.workshop.commit_tree(ship.repo, tree=preview.tree, parents=(base,), message="land\n", at=1)
    other = host("other ship", upstream, tmp_path, post)
    assert not other.workshop.is_ancestor(other.repo, merge, base), "what the first was about to push is known"
    assert other.workshop.mirrors.push(other.repo, merge, "dev", base).code == 0
    assert "src/new.txt" in files(other, other.base())


def test_the_next_attempt_goes_on_from_another_machines_commits(upstream: Upstream, tmp_path: Path, post: Desk) -> None:
    _, head = made_by(host("first", upstream, tmp_path, post))
    second = host("second", upstream, tmp_path, post)
    second.base()
    tree = second.workshop.prepare(second.repo, NEXT, head)
    assert (Path(tree.path) / "src/new.txt").exists()


def test_a_verified_head_is_published_from_a_machine_that_did_not_make_it(
    upstream: Upstream, tmp_path: Path, post: Desk
) -> None:
    _, head = made_by(host("first", upstream, tmp_path, post))
    second = host("second", upstream, tmp_path, post)
    second.base()
    landing = publish(second.workshop.mirrors, second.repo, commit=head, branch="ops/t1/a1", expected="")
    assert landing.end is LandingEnd.LANDED


def test_what_is_too_large_stays_where_it_is_and_is_named(
    upstream: Upstream, tmp_path: Path, post: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        base, head = made_by(host("first", upstream, tmp_path, post, carry_mb=0.0001))
    assert "OPS_CARRY_MB" in caplog.text
    assert post.parcels == {}
    second = host("second", upstream, tmp_path, post)
    with pytest.raises(GitError):
        second.workshop.preview(second.repo, base, head)


def test_what_is_too_large_is_not_taken_either_whoever_sent_it(upstream: Upstream, tmp_path: Path, post: Desk) -> None:
    """Its sender may have another limit, or none."""
    base, head = made_by(host("first", upstream, tmp_path, post))
    second = host("second", upstream, tmp_path, post, carry_mb=0.0001)
    with pytest.raises(GitError, match="OPS_CARRY_MB"):
        second.workshop.preview(second.repo, base, head)


def test_what_upstream_has_does_not_travel(upstream: Upstream, tmp_path: Path, post: Desk) -> None:
    first = host("first", upstream, tmp_path, post)
    first.workshop.mirrors.send(first.repo, first.base())
    assert post.parcels == {}


@pytest.mark.parametrize("damage", ["cut", "nonsense", "another"])
def test_a_parcel_that_is_not_what_it_says_brings_nothing(
    damage: str, upstream: Upstream, tmp_path: Path, post: Desk
) -> None:
    base, head = made_by(host("first", upstream, tmp_path, post))
    name, bundle = (head, post.parcels[upstream_key(upstream), head])
    wrong = {"cut": bundle[:-30], "nonsense": b"# v2 git bundle\nnonsense", "another": bundle}[damage]
    name = "0" * 39 + "1" if damage == "another" else name
    post.parcels = {(upstream_key(upstream), name): wrong}
    second = host("second", upstream, tmp_path, post)
    second.base()
    with pytest.raises(GitError):
        second.workshop.preview(second.repo, base, name)


def test_a_parcel_with_objects_that_git_should_not_take_brings_nothing(
    upstream: Upstream, tmp_path: Path, post: Desk
) -> None:
    """As a host that somebody has taken over might post it: a commit whose tree has a folder named `.git`."""
    forge = tmp_path / "forge"
    git("init", "--quiet", "--bare", str(forge), cwd=tmp_path)
    blob = git("hash-object", "-w", "--stdin", cwd=forge)
    (tmp_path / "tree").write_bytes(b"100644 .git\0" + bytes.fromhex(blob))
    tree = git("hash-object", "-w", "--literally", "-t", "tree", str(tmp_path / "tree"), cwd=forge)
    head = git("commit-tree", "-m", "hostile", tree, cwd=forge)
    git("update-ref", f"refs/ops/parcels/{head}", head, cwd=forge)
    git("bundle", "create", "--quiet", str(tmp_path / "bundle"), f"refs/ops/parcels/{head}", cwd=forge)
    post.put(upstream_key(upstream), head, (tmp_path / "bundle").read_bytes())
    second = host("second", upstream, tmp_path, post)
    base = second.base()
    with pytest.raises(GitError, match=r"hasDotgit|\.git"):
        second.workshop.preview(second.repo, base, head)
    assert git("for-each-ref", "refs/ops/", cwd=second.mirror) == ""


def upstream_key(upstream: Upstream) -> str:
    return repository_value(upstream).key


def test_the_ledger_carries_any_bytes(server_url: str) -> None:
    ledger = connect(server_url)
    bundle = bytes(range(256)) * 3
    assert ledger.parcels.get("app", "a" * 40) is None
    for _ in range(2):
        ledger.parcels.put("app", "a" * 40, bundle)
        assert ledger.parcels.get("app", "a" * 40) == bundle
    ledger.close()


def test_a_parcel_that_brings_several_objects_is_kept_once(server_url: str) -> None:
    ledger = connect(server_url)
    bundle = bytes(300_000)
    ledger.parcels.put("app", "b" * 40, bundle, also=("c" * 40, "b" * 40))
    assert ledger.parcels.get("app", "c" * 40) == ledger.parcels.get("app", "b" * 40) == bundle
    assert len(ledger.parcels._text("app", "c" * 40) or "") < 100
    ledger.close()


def test_what_one_machine_has_on_its_way_is_limited(server_url: str) -> None:
    ledger = connect(server_url)
    ledger._server.client.flushdb()
    give = {"sender": "one", "most": 1000}
    assert ledger.parcels.put("app", "a" * 40, bytes(600), **give) == 600
    assert ledger.parcels.put("app", "a" * 40, bytes(600), **give) == 600, "the same one again"
    assert ledger.parcels.put("app", "b" * 40, bytes(600), **give) > 1000
    assert ledger.parcels.get("app", "b" * 40) is None
    assert ledger.parcels.put("app", "b" * 40, bytes(600), sender="other", most=1000) == 600
    ledger._server.client.delete("{ops}:parcel:app:" + "a" * 40)
    assert ledger.parcels.put("app", "c" * 40, bytes(600), **give) == 600, "what is forgotten makes room"
    ledger.close()


def test_a_commit_too_many_stays_on_its_machine_and_that_is_said(
    upstream: Upstream, tmp_path: Path, post: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "first"
    made = GitWorkshop(state, Settings(data_dir=state, carry_total_mb=0.0001), None, post)
    shop = Shop(upstream, repository_value(upstream), made, state)
    tree = shop.tree()
    commit(Path(tree.path), {"src/a.txt": "x\n"}, "Do t1")
    with caplog.at_level(logging.WARNING):
        assert shop.collect(tree).head
    assert "OPS_CARRY_TOTAL_MB is 0.0001" in caplog.text
    assert post.parcels == {}
