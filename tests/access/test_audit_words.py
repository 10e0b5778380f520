"""Whoever reads the audit trail reads words: every action that is recorded has a name in both languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from identity.permissions import PERMISSIONS
from maintenance.order_state import Act

ROOT = Path(__file__).parents[2]
PACKAGES = ("twin", "identity", "ifc_models", "spatial", "telemetry", "maintenance", "viewer", "api")
PUT_TOGETHER = {  # by f-strings in the code
    *(f"alarm.{act}" for act in ("acknowledge", "comment", "shelve", "unshelve", "reset")),
    *(f"{what}.{act}" for what in ("alarm_rule", "plan") for act in ("create", "update", "delete")),
    *(f"command.{state}" for state in ("verified", "failed", "expired")),
    *(f"history.{kind}" for kind in ("retention", "compression", "quarantine")),
    *(f"work_order.{act}" for act in Act),
    *("point.update", "point.retire", "point.restore"),
}


def recorded() -> Iterator[tuple[str, str]]:
    """Every action that stands in a call of `audit.record` or of a helper around it, and where."""
    for path in (path for package in PACKAGES for path in (ROOT / package).glob("**/*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in RECORDERS:
                for part in ast.walk(node):
                    if isinstance(part, ast.Constant) and re.fullmatch(r"[a-z_]+\.[a-z_]+", str(part.value)):
                        yield str(part.value), f"{path.relative_to(ROOT)}:{node.lineno}"


RECORDERS = ("record", "_recorded")


def key_of(action: str) -> str:
    """`role.change` as the pages' texts call it: roleChange."""
    return re.sub(r"[._]+(\w)", lambda found: found[1].upper(), action)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_recorded_action_has_its_words(language: str) -> None:
    texts = (ROOT / "viewer/web/src/app/i18n" / f"access-{language}.ts").read_text("utf-8")
    words = set(re.findall(r"(\w+): \"", texts.partition("\n  did: {")[2].partition("\n  },")[0]))
    found = dict(recorded())
    assert len(found) > 50
    missing = {action: found.get(action) for action in {*found, *PUT_TOGETHER} if key_of(action) not in words}
    assert not missing, f"add them to `did` of access-{language}.ts"


def test_the_filter_offers_what_is_recorded() -> None:
    names = (ROOT / "viewer/web/src/app/admin/audit-names.ts").read_text("utf-8")
    offered = set(re.findall(r'"([a-z_]+\.[a-z_]+)"', names))
    assert {*dict(recorded()), *PUT_TOGETHER} - set(PERMISSIONS) <= offered | {"second_factor.begin"}
