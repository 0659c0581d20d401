"""What a process knows to be secret is cut out of what it keeps, whatever its shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.config import Settings
from ops_orchestrate.ledger import Ledger
from ops_orchestrate.wiring.toolbox import make_toolbox

VALUE = "correct horse battery"


@pytest.mark.parametrize("name", ["MY_SERVICE_TOKEN", "DEPLOY_KEY", "DB_PASSWORD"])
def test_a_value_of_the_environment_is_known_by_the_end_of_its_name(
    name: str, tmp_path: Path, fake_redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = make_toolbox(Settings(data_dir=tmp_path), Ledger(fake_redis))
    assert tools.secrets.redact(f"it is {VALUE}.") == f"it is {VALUE}."
    monkeypatch.setenv(name, VALUE)
    assert tools.secrets.redact(f"it is {VALUE}.") == "it is [redacted]."


def test_the_password_of_a_server_is_known(tmp_path: Path, fake_redis: Any) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, "redis_url": "redis://:c0rrect-horse@127.0.0.1:1/0"})
    tools = make_toolbox(settings, Ledger(fake_redis))
    assert tools.secrets.redact("no answer: c0rrect-horse") == "no answer: [redacted]"


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("notify", "json://one.example/tok3n-of-one slack://tok3n-of-two", "slack://tok3n-of-two"),
        ("flower_auth", "ops:c0rrect-horse", "c0rrect-horse"),
    ],
)
def test_what_the_owner_tells_only_this_program_is_known(
    name: str, value: str, secret: str, tmp_path: Path, fake_redis: Any
) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, name: value})
    tools = make_toolbox(settings, Ledger(fake_redis))
    assert tools.secrets.redact(f"it is {secret}.") == "it is [redacted]."
