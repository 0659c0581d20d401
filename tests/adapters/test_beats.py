"""Beats carry the time at which they were true: an owner that stood still must not lengthen its agent's life."""

from __future__ import annotations

import time
from pathlib import Path

from tests.adapters.foreign import end_of, eventually
from tests.adapters.supervise_help import start


def boot_clock() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def test_an_old_beat_counts_from_when_it_was_true(tmp_path: Path, mark: str) -> None:
    running = start(tmp_path, mark, "import time; time.sleep(60)", watch={"beat_seconds": 2.0})
    began = boot_clock()
    for _ in range(10):
        running.beat(began - 1.5)
        time.sleep(0.05)
    ended = eventually(running.poll, 5)
    assert ended.reason == "no-beat"
    assert boot_clock() - began < 4


def test_a_beat_from_the_future_is_none(tmp_path: Path, mark: str) -> None:
    running = start(tmp_path, mark, "import time; time.sleep(60)", watch={"beat_seconds": 0.5})
    running.beat(boot_clock() + 1000)
    ended = eventually(running.poll, 5)
    assert ended.reason == "no-beat"


def test_nothing_is_started_for_a_lease_that_is_over(tmp_path: Path, mark: str) -> None:
    late = {"beat_seconds": 1.0, "beaten_at": boot_clock() - 2}
    code = f"open({str(tmp_path / 'ran')!r}, 'w')"
    ended = end_of(start(tmp_path, mark, code, watch=late))
    assert (ended.reason, ended.exit_code) == ("no-beat", None)
    assert not (tmp_path / "ran").exists()
