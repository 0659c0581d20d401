"""A program that is spoken to on its input: what it hears, in which order, and how its end is asked for."""

from __future__ import annotations

from pathlib import Path

from tests.adapters.foreign import end_of
from tests.adapters.supervise_help import said, start

ECHO = "import sys\nfor line in sys.stdin: print('heard', len(line), line[:20].strip(), flush=True)\nprint('end')"
DEAF = "import time; print('up', flush=True); time.sleep(300)"


def talk(folder: Path, opening: str = "first\n", **more: object) -> dict[str, object]:
    (folder / "opening").write_text(opening)
    return {"stdin": folder / "opening", "talk": True, **more}


def test_it_hears_its_opening_and_then_every_line(tmp_path: Path, mark: str) -> None:
    running = start(tmp_path, mark, ECHO, watch=talk(tmp_path))
    assert said(running, "first")
    assert running.say("second")
    assert said(running, "second")
    running.end_input()
    ended = end_of(running)
    assert (ended.reason, ended.exit_code) == ("exited", 0)
    assert running.log.read_text().splitlines() == ["heard 6 first", "heard 7 second", "end"]
    assert not running.say("third"), "it has ended"


def test_an_opening_longer_than_a_pipe_arrives_whole(tmp_path: Path, mark: str) -> None:
    running = start(tmp_path, mark, ECHO, watch=talk(tmp_path, "x" * 1_000_000 + "\n"))
    running.end_input()
    assert end_of(running).exit_code == 0
    assert "heard 1000001 " in running.log.read_text()


def test_one_that_does_not_listen_is_stopped_all_the_same(tmp_path: Path, mark: str) -> None:
    running = start(tmp_path, mark, DEAF, watch=talk(tmp_path, "x" * 1_000_000 + "\n", farewell="stop"))
    assert said(running)
    running.stop("interrupt")
    ended = end_of(running)
    assert ended.reason == "interrupted"


def test_its_own_word_comes_before_any_signal(tmp_path: Path, mark: str) -> None:
    code = (
        "import signal, sys\n"
        "for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, lambda *_: print('signal', flush=True))\n"
        "print('up', flush=True)\n"
        "print('told', sys.stdin.read().split(), flush=True)"
    )
    running = start(tmp_path, mark, code, watch=talk(tmp_path, farewell='{"stop": 1}', grace=5.0))
    assert said(running)
    running.stop("interrupt")
    ended = end_of(running)
    assert (ended.reason, ended.exit_code) == ("interrupted", 0)
    assert running.log.read_text().splitlines() == ["up", """told ['first', '{"stop":', '1}']"""]


def test_nothing_is_said_to_one_that_has_a_file_for_input(tmp_path: Path, mark: str) -> None:
    running = start(tmp_path, mark, DEAF)
    assert said(running)
    assert not running.say("hello")
    running.stop("kill")
    assert end_of(running).reason == "killed"
