"""Makes the record of a world that is over, with nothing but git, the forge's journal and `events --json`."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.chaos.estate import ON_DISK, OWNER
from tests.chaos.processes import state
from tests.chaos.record import Base, Commit, Line, Record
from tests.chaos.sight import drafts
from tests.chaos.world import World
from tests.engine.nemesis import marked
from tests.repos import git

_COMMIT, _FIELD = "\x01", "\x02"


def record_of(world: World) -> Record:
    """Everything that the checker is to see."""
    world.sight.end()
    runs = [run.id for run in world.runs()]
    with ThreadPoolExecutor(2) as pool:
        events = dict(zip(runs, pool.map(lambda run: _events(world, run), runs), strict=True))
    return Record(
        events=events,
        bases=tuple(_base(world, name, bare) for name, bare in world.bases().items()),
        journal=tuple(entry.as_json() for entry in world.github.control.journal.entries),
        most_agents=world.sight.most,
        doubled=frozenset(world.sight.doubled),
        leftover=(
            *(f"process {pid} of {mark}" for pid, mark in marked(world.home).items()),
            *(f"a command ({state(one.pid)})" for one in world.commands if one.poll() is None),
            *(f"slot {slot.index}" for slot in world.ledger.board.slots()),
            *(f"the owner of {owner.repo}" for owner in world.ledger.board.owners()),
        ),
        drafts=tuple(world.sight.drafts),
        kept=frozenset(_kept(world)),
    )


def _events(world: World, run: str) -> tuple[Line, ...]:
    argv = [sys.executable, "-m", "ops_orchestrate", "events", run, "--json"]
    done = subprocess.run(argv, env=world.environment("one"), cwd=world.home, capture_output=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return tuple(line | {"at": world.clocks.true(line["at"], world.began)} for line in lines)


def _base(world: World, name: str, bare: Path) -> Base:
    form = f"--format={_COMMIT}%H{_FIELD}%P{_FIELD}%B"
    texts = git("log", "--first-parent", "--reverse", form, "dev", cwd=bare).split(_COMMIT)[1:]
    commits = [_commit(text) for text in texts]
    first = next(at for at, one in enumerate(commits) if one.sha == world.starts[name])
    return Base(name, tuple(commits[first:]), tuple(_moves(world, name, bare)))


def _commit(text: str) -> Commit:
    sha, parents, message = text.split(_FIELD, 2)
    return Commit(sha, tuple(parents.split()), message)


def _moves(world: World, name: str, bare: Path) -> list[tuple[str, str]]:
    if name in ON_DISK:
        log = bare / "logs" / "refs" / "heads" / "dev"
        lines = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
        return [(words[0], words[1]) for words in lines]
    pushes: list[Any] = [
        entry.facts
        for entry in world.github.control.journal.effects("push", f"{OWNER}/{name}")
        if entry.facts["ref"] == "refs/heads/dev"
    ]
    return [(facts["before"], facts["after"]) for facts in pushes if facts["before"].strip("0")]


def _kept(world: World) -> set[tuple[str, str]]:
    """(path, text) of all files below src/ on any ref of any repository, and in the trees that still stand."""
    found = {(draft.path, draft.text) for draft in drafts(world.home)}
    for folder in [*world.bases().values(), *world.home.glob("*/orchestrate/mirrors/*.git")]:
        listed = git("rev-list", "--objects", "--all", cwd=folder).splitlines()
        wanted = [line.split(" ", 1) for line in listed if " src/" in line]
        batch = git("cat-file", "--batch", cwd=folder, stdin="".join(f"{sha}\n" for sha, _ in wanted))
        # Each text is one line, and each answer is a header and that line.
        for (_, path), text in zip(wanted, _texts(batch), strict=True):
            found.add((path, text))
    return found


def _texts(batch: str) -> list[str]:
    texts, rest = [], batch + "\n"
    while rest.strip("\n"):
        head, _, rest = rest.partition("\n")
        size = int(head.split()[2])
        texts.append(rest[:size])
        rest = rest[size + 1 :]
    return texts
