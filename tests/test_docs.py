"""Documents that are made from the code, and house rules that can be read off the files.

`make docs` (UPDATE_SNAPSHOTS=1) rewrites the generated ones.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pydantic import SecretStr

from beat_schedule import BEAT_SCHEDULE
from ops_orchestrate.celery import POOLS
from ops_orchestrate.cli.exits import Exit
from ops_orchestrate.cli.main import VERBS
from ops_orchestrate.config import Settings
from workers.pools import POOLS as WORKER_POOLS

ROOT = Path(__file__).resolve().parents[1]

HEAD = """# Settings

Every setting is an environment variable, or a key of one TOML file without the `OPS_` prefix and in lower case
(`OPS_CONFIG`, default `DATA_DIR/orchestrate.toml`). The environment wins over the file. Periods are seconds. A list is
a JSON list, or words as a shell would split them. This table is made from `ops_orchestrate/config/`.

| variable | default | meaning |
|---|---|---|
"""


def settings_table() -> str:
    """docs/configuration.md as it has to be."""
    rows = []
    for name, info in Settings.model_fields.items():
        default = "" if info.default_factory else _shown(info.default)
        default = default or {"data_dir": "see below", "host": "this machine's name"}.get(name, "")
        rows.append(f"| `OPS_{name.upper()}` | {default} | {info.description} |")
    tail = (
        "\n`OPS_DATA_DIR` defaults to `CLAUDE_PLUGIN_DATA_DIR`, else `~/.claude/plugins/data/ops-ops-marketplace` "
        "where that exists, else `$XDG_DATA_HOME/ops-orchestrate` (`~/.local/share/ops-orchestrate`). Our own state "
        "is in its folder `orchestrate/`.\n"
    )
    return HEAD + "\n".join(rows) + "\n" + tail


def _shown(value: object) -> str:
    if value is None or value == () or isinstance(value, SecretStr):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def test_the_table_of_settings_is_current() -> None:
    path = ROOT / "docs" / "configuration.md"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(settings_table(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == settings_table(), "run `make docs`"


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, info in Settings.model_fields.items() if not info.description] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_documented(verb: str) -> None:
    assert f"`{verb}" in (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", Exit)
def test_every_exit_code_is_documented(code: Exit) -> None:
    assert f"| {int(code)} |" in (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


def test_pools_queues_and_jobs_agree() -> None:
    assert tuple(WORKER_POOLS) == POOLS
    ours = {name for name in _registered_jobs() if name.split(".")[0] in POOLS}
    published = set(re.findall(r'"((?:planner|audit|agent|ship)\.\w+)"', _read("ops_orchestrate/canvas.py")))
    assert published <= ours
    assert {entry["task"] for entry in BEAT_SCHEDULE.values()} <= ours


def _registered_jobs() -> list[str]:
    """What a worker registers, asked of a fresh interpreter: other tests of this process may have jobs of their own."""
    code = (
        "import json; from ops_orchestrate.celery import app, point_at; from ops_orchestrate.config import Urls; "
        "point_at(Urls('memory://', 'cache+memory://', 'unused://')); app.loader.import_default_modules(); "
        "print(json.dumps(sorted(app.tasks)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    found: list[str] = json.loads(done.stdout)
    return found


def test_no_local_link_of_the_documents_is_broken() -> None:
    broken = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} → {target}")
    assert broken == []


def test_no_file_of_the_code_outgrows_its_room() -> None:
    files = [*ROOT.glob("ops_orchestrate/**/*.py"), *ROOT.glob("workers/*.py")]
    assert [str(f.relative_to(ROOT)) for f in files if len(f.read_text(encoding="utf-8").splitlines()) > 300] == []


def test_the_wheel_holds_what_the_issue_of_a_release_needs() -> None:
    project = tomllib.loads(_read("pyproject.toml"))
    assert project["project"]["scripts"] == {"ops-orchestrate": "ops_orchestrate.cli.main:main"}
    assert project["tool"]["setuptools"]["py-modules"] == ["beat_schedule"]


def _read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")
