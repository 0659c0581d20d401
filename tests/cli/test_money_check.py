"""What `doctor` says of caps: whether they can be held at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops_orchestrate.cli.money_check import examine_money
from ops_orchestrate.config import Settings, load_settings
from ops_orchestrate.errors import UsageError


@pytest.mark.parametrize(
    ("fields", "state", "words"),
    [
        ({"agent": "claude"}, "ok", "no cap is set"),
        ({"agent": "claude", "max_day_usd": 50}, "ok", "one attempt may use $10.00"),
        ({"agent": "claude", "max_day_usd": 50, "model": "nonsense-9"}, "problem", "the price of nonsense-9"),
        ({"agent": "claude", "max_day_tokens": 500, "model": "nonsense-9"}, "ok", "one attempt may use 100 tokens"),
        ({"agent": "command", "max_task_usd": 3}, "warning", "its own word is taken, and a silent one has used $3.00"),
        ({"agent": "command", "max_task_usd": 3, "model_url": "https://api.example.com"}, "ok", "$3.00"),
    ],
)
def test_whether_a_cap_can_be_held(tmp_path: Path, fields: dict[str, Any], state: str, words: str) -> None:
    (check,) = examine_money(Settings(data_dir=tmp_path, **fields))
    assert check.state == state
    assert words in check.found
    assert bool(check.remedy) is (state != "ok")


def test_a_table_of_prices_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        list(examine_money(Settings(data_dir=tmp_path, prices=tmp_path / "none.toml")))


@pytest.mark.parametrize("scope", ["attempt", "task", "project", "run", "day"])
@pytest.mark.parametrize("amount", ["inf", "nan", "-1", "0", "1e300"])
def test_a_cap_that_nobody_can_count_to_is_refused(scope: str, amount: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for unit in ("USD", "TOKENS"):
        monkeypatch.setenv(f"OPS_MAX_{scope.upper()}_{unit}", amount)
        with pytest.raises(UsageError, match=f"OPS_MAX_{scope.upper()}_{unit}"):
            load_settings()
        monkeypatch.delenv(f"OPS_MAX_{scope.upper()}_{unit}")
