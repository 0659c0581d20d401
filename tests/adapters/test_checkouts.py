"""Fresh worktrees for gates: there, right, and gone again whatever happens."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ops_orchestrate.errors import GitError
from tests.adapters.gitshop import Shop
from tests.repos import git


def left(shop: Shop) -> list[str]:
    """What is left of checkouts, on disk and in the mirror."""
    metadata = shop.mirror / "worktrees"
    folders = [path.name for path in (shop.state / "checkouts").iterdir() if path.name != ".lock"]
    return folders + [path.name for path in metadata.glob("*")]


def test_a_checkout_is_a_clean_worktree_and_goes(shop: Shop) -> None:
    base = shop.base()
    with shop.workshop.checkout(shop.repo, base) as place:
        assert place.parent == shop.state / "checkouts"
        assert git("rev-parse", "HEAD", cwd=place) == base
        assert git("status", "--porcelain", cwd=place) == ""
        assert git("branch", "--show-current", cwd=place) == ""
    assert left(shop) == []


def test_it_goes_when_the_gate_fails_and_whatever_the_gate_did(shop: Shop) -> None:
    class GateFailed(Exception):
        pass

    with pytest.raises(GateFailed), shop.workshop.checkout(shop.repo, shop.base()) as place:
        (place / ".git").write_text("gitdir: /nowhere\n")
        (place / "cache").mkdir(mode=0o500)
        (place / "link").symlink_to(shop.upstream.checkout)
        raise GateFailed
    assert left(shop) == []
    assert (shop.upstream.checkout / "README.md").exists()


def test_a_commit_that_is_not_there(shop: Shop) -> None:
    shop.base()
    with pytest.raises(GitError), shop.workshop.checkout(shop.repo, "1" * 40):
        pytest.fail("there is no such commit")
    assert left(shop) == []


def test_several_at_once(shop: Shop) -> None:
    base = shop.base()
    problems: list[BaseException] = []
    together = threading.Barrier(4, timeout=60)

    def use() -> None:
        try:
            with shop.workshop.checkout(shop.repo, base) as place:
                together.wait()
                assert (place / "README.md").exists()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    assert left(shop) == []


def test_what_a_killed_process_left_is_removed_by_the_next(shop: Shop) -> None:
    base = shop.base()
    program = (
        "import sys, time; from pathlib import Path\n"
        "from ops_orchestrate.adapters.workshop import GitWorkshop\n"
        "from ops_orchestrate.config import Settings\n"
        "from ops_orchestrate.core.project import Repository\n"
        "state = Path(sys.argv[1]); shop = GitWorkshop(state, Settings(data_dir=state))\n"
        "with shop.checkout(Repository.model_validate_json(sys.argv[2]), sys.argv[3]) as place:\n"
        "    print(place, flush=True); time.sleep(60)\n"
    )
    argv = [sys.executable, "-c", program, str(shop.state), shop.repo.model_dump_json(), base]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        dead = Path(process.stdout.readline().strip())
        with shop.workshop.checkout(shop.repo, base):
            assert (dead / "README.md").exists()  # its process lives: not ours to remove
        process.send_signal(signal.SIGKILL)
    assert (dead / "README.md").exists()
    with shop.workshop.checkout(shop.repo, base) as place:
        assert not dead.exists() and place.exists()
    assert left(shop) == []


def test_metadata_that_a_power_cut_left_half_made_is_cleared(shop: Shop) -> None:
    base = shop.base()
    half = shop.mirror / "worktrees" / "app-dead"
    half.mkdir(parents=True)
    (half / "locked").write_text("initializing\n")
    (half / "gitdir").write_text(f"{shop.state}/checkouts/app-dead/.git\n")
    (shop.mirror / "worktrees" / "empty").mkdir()
    (shop.state / "checkouts" / "app-orphan").mkdir(parents=True)
    with shop.workshop.checkout(shop.repo, base):
        pass
    assert left(shop) == []
