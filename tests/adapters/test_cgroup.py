"""Control groups: what the kernel holds over all processes of an agent together, where it lets us, and what is said."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ops_orchestrate.adapters import supervised
from ops_orchestrate.adapters.cgroup import Group, Home, _delegated
from ops_orchestrate.adapters.limits import gaps, held_by_kernel
from ops_orchestrate.adapters.supervised import Supervised
from tests.adapters.foreign import both_ways, end_of, eventually, needs_sandbox, without_sandbox
from tests.adapters.supervise_help import STUBBORN, daemons, said, start

HOME = held_by_kernel()
needs_groups = pytest.mark.skipif(HOME is None, reason="no control groups of version 2 can be made here")
needs_limits = pytest.mark.skipif(
    HOME is None or len(HOME.holds) < 2, reason="control groups hold no memory and processes here"
)

HOG = "held = bytearray(b'x') * (200 << 20); print('survived')"
"""Quicker than any look at it."""
SHARED = "open('/dev/shm/big', 'wb').write(bytes(200 << 20)); print('survived')"
BOMB = """
import os, time
made = 0
for _ in range(300):
    try:
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        made += 1
    except OSError:
        break
print('made', made, flush=True)
time.sleep(30)
"""


def groups(running: Supervised) -> list[Path]:
    """That of this agent: others on this machine have theirs."""
    assert HOME is not None
    return list(Path(HOME.path).glob(f"ops-agent-{running.pid}-*"))


@needs_limits
@pytest.mark.parametrize(
    ("code", "sandboxed"),
    [
        pytest.param(HOG, True, marks=needs_sandbox, id="memory, sandboxed"),
        pytest.param(HOG, False, id="memory"),
        pytest.param(SHARED, True, marks=needs_sandbox, id="shared memory of the sandbox's own"),
    ],
)
def test_memory_is_held_by_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str, code: str, sandboxed: bool
) -> None:
    if not sandboxed:
        without_sandbox(monkeypatch, tmp_path)
    running = start(tmp_path, mark, code, sandbox_memory_mb=100)
    ended = end_of(running)
    assert ended.reason == "memory"
    assert "survived" not in running.tail()
    assert groups(running) == []


@needs_limits
@both_ways
def test_processes_are_held_by_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str, sandboxed: bool
) -> None:
    if not sandboxed:
        without_sandbox(monkeypatch, tmp_path)
    running = start(tmp_path, mark, BOMB, sandbox_processes=40)
    said(running, "made")
    assert 20 < int(running.tail().split()[-1]) <= 40
    ended = end_of(running)
    assert (ended.reason, ended.left) == ("processes", 0)
    assert groups(running) == []


@needs_groups
def test_the_last_rung_takes_all_of_the_group(tmp_path: Path, mark: str) -> None:
    running = start(tmp_path, mark, STUBBORN)
    said(running)
    eventually(lambda: daemons(tmp_path))
    inside = {int(pid) for group in groups(running) for pid in (group / "cgroup.procs").read_text().split()}
    assert set(daemons(tmp_path)) <= inside
    running.stop("kill")
    assert (end_of(running).reason, daemons(tmp_path), groups(running)) == ("killed", [], [])


@needs_groups
def test_a_group_kills_what_forks_without_end(tmp_path: Path) -> None:
    """One process after another, each gone before anybody could look for it by its number."""
    assert HOME is not None
    group = Group.make(HOME, 0, 0)
    assert group is not None
    chain = (
        f"import os\nopen({group.procs!r}, 'w').write('0')\nopen('up', 'w')\nwhile True:\n  if os.fork(): os._exit(0)"
    )
    child = supervised.spawn([sys.executable, "-I", "-S", "-c", chain], cwd=tmp_path, env={})
    eventually((tmp_path / "up").exists)
    assert eventually(lambda: Path(group.procs).read_text())
    group.kill()
    eventually(lambda: not Path(group.procs).read_text())
    group.close()
    child.wait(5)
    assert not Path(group.procs).exists()


def test_without_groups_the_supervisor_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str) -> None:
    monkeypatch.setattr(supervised, "held_by_kernel", lambda: None)
    code = HOG.replace("print('survived')", "import time; time.sleep(30)")
    assert end_of(start(tmp_path, mark, code, sandbox_memory_mb=100)).reason == "memory"


def test_a_place_that_has_gone_is_no_reason_not_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    monkeypatch.setattr(supervised, "held_by_kernel", lambda: Home(str(tmp_path / "gone"), ("memory", "pids")))
    assert end_of(start(tmp_path, mark, "print(1)")).reason == "exited"


@pytest.mark.parametrize(
    ("root", "holds", "said"),
    [
        (False, ("memory", "pids"), ["disk"]),
        (True, ("memory", "pids"), ["disk"]),
        (True, ("memory",), ["disk", "no limit of its processes", "no processes of root"]),
        (False, ("pids",), ["disk", "no limit of its memory", "its memory is measured"]),
        (True, (), ["disk", "memory and processes", "its memory is measured", "no processes of root"]),
    ],
)
def test_what_this_host_does_not_hold_is_said(root: bool, holds: tuple[str, ...], said: list[str]) -> None:
    found = gaps(root=root, home=Home("/x", holds))
    assert len(found) == len(said)
    assert all(word in gap.text for word, gap in zip(said, found, strict=True))
    assert all(gap.remedy for gap in found if "control groups" in gap.text or "of root" in gap.text)


@pytest.mark.skipif(os.getuid() == 0, reason="root owns every folder")
@pytest.mark.parametrize(("name", "ours"), [("box", True), ("session-1.scope", False)])
def test_a_folder_of_an_ordinary_user_is_delegated_unless_a_manager_minds_it(
    tmp_path: Path, name: str, ours: bool
) -> None:
    place = tmp_path / name
    place.mkdir()
    for file in ("cgroup.procs", "cgroup.subtree_control"):
        (place / file).touch()
    assert _delegated(place) is ours


@needs_groups
def test_a_group_is_kept_until_its_agent_is_born_in_it_and_swept_when_its_maker_is_gone() -> None:
    """Two supervisors on one host: the second one once took the empty group of the first away, and its gate failed."""
    assert HOME is not None
    first = Group.make(HOME, 0, 0)
    second = Group.make(HOME, 0, 0)
    assert first is not None and second is not None
    kept = [Path(group.procs).parent for group in (first, second)]
    assert all(path.exists() for path in kept)
    gone = Path(HOME.path) / f"ops-agent-{2**22 + 1}-1"  # no process has a number beyond the kernel's largest
    gone.mkdir()
    young = gone.with_name(f"ops-agent-{2**22 + 2}-1")
    young.mkdir()
    os.utime(gone, (1, 1))
    second.close()
    third = Group.make(HOME, 0, 0)
    assert third is not None
    assert (kept[0].exists(), gone.exists(), young.exists()) == (True, False, True)
    for group in (first, third):
        group.close()
    young.rmdir()
