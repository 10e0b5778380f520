"""docs/maintenance.md says what the code does."""

import re
from pathlib import Path

from maintenance.alarm_state import ChangeKind, DisplayState
from maintenance.order_state import RULES, Act, OrderState

TEXT = (Path(__file__).parents[2] / "docs" / "maintenance.md").read_text("utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line.startswith("| `")]


def test_every_alarm_state_and_change_is_documented() -> None:
    assert {cells[0].strip("`") for cells in ROWS if len(cells) == 3} == set(DisplayState)
    assert set(ChangeKind) <= set(re.findall(r"`(\w+)`", TEXT))


def test_every_act_on_an_order_is_documented() -> None:
    acts = {cells[0].strip("`"): cells for cells in ROWS if len(cells) == 4}
    assert set(acts) == set(Act)
    for act, (_, sources, target, permission) in acts.items():
        rule = RULES[Act(act)]
        assert set(OrderState) == rule.sources if sources == "any" else set(sources.split(", ")) == rule.sources
        assert (target or None) == rule.target
        assert permission.startswith(f"`{rule.permission}`")
        assert rule.own == permission.endswith(", own")
