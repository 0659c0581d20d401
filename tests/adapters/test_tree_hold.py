"""Who holds an attempt's tree: one at a time on a host, in every process and thread; the dead hold nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.adapters.gitshop import KEY, Shop

HOLDER = """
import fcntl, os, sys, time
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(fd, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


def test_one_at_a_time_also_within_a_process(shop: Shop) -> None:
    with shop.workshop.hold_tree(shop.repo, KEY) as first:
        shop.tree()
        with shop.workshop.hold_tree(shop.repo, KEY) as second:
            assert (first, second) == (True, False)
    with shop.workshop.hold_tree(shop.repo, KEY) as third:
        assert third


def test_the_lock_goes_with_the_tree(shop: Shop) -> None:
    with shop.workshop.hold_tree(shop.repo, KEY):
        tree = Path(shop.tree().path)
        assert list(tree.parent.glob(".*.lock"))
        shop.workshop.discard_tree(shop.repo, KEY)
    assert not list(tree.parent.iterdir())


def test_a_dead_holder_holds_nothing(shop: Shop) -> None:
    tree = Path(shop.tree().path)
    lock = tree.with_name(f".{tree.name}.lock")
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        with shop.workshop.hold_tree(shop.repo, KEY) as mine:
            assert not mine
        holder.send_signal(signal.SIGKILL)
        holder.wait(60)
        with shop.workshop.hold_tree(shop.repo, KEY) as mine:
            assert mine
