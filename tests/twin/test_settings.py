import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from scripts.generated import settings_page
from twin.settings import Settings

ROOT = Path(__file__).parents[2]
SOURCES = [
    path for folder in ("twin", "identity", "ifc_models", "spatial", "telemetry", "maintenance", "viewer", "api")
    for path in (ROOT / folder).rglob("*.py") if "node_modules" not in path.parts
]  # fmt: skip


def test_every_setting_is_documented_and_no_other() -> None:
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    documented = set(re.findall(r"`TWIN_(\w+)`", page))
    assert documented == {name.upper() for name in Settings.model_fields}
    assert page == settings_page(), "stale: run python -m scripts.generated"


def test_every_setting_says_what_it_is_for() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


def test_every_setting_is_used() -> None:
    code = "\n".join(path.read_text("utf-8") for path in SOURCES)
    unused = [name for name in Settings.model_fields if not re.search(rf"settings\.{name}\b", code)]
    assert not unused


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TWIN_PORT", "9001")
    monkeypatch.setenv("TWIN_DATA", str(tmp_path))
    monkeypatch.setenv("TWIN_SESSION_IDLE", "PT5M")
    settings = Settings()
    assert (settings.port, settings.data, settings.session_idle.total_seconds()) == (9001, tmp_path, 300)
    monkeypatch.setenv("TWIN_PORT", "70000")
    with pytest.raises(ValidationError, match="port"):
        Settings()


def test_a_password_in_the_database_url_is_not_shown() -> None:
    assert "secret" not in repr(Settings(database="postgresql://twin:secret@db/twin"))
