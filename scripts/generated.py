"""Files made from the code: `python -m scripts.generated` writes them, `--check` fails when one is stale.

The viewer's API types are made from docs/openapi.json by npm (`npm run types`).
"""

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from twin.settings import GIB, MIB, Settings

ROOT = Path(__file__).parents[1]


def settings_page() -> str:
    """docs/settings.md: every setting with its name in the environment, its default and what it is for."""
    lines = [
        "# Settings",
        "",
        "Every one is an environment variable; those of the command line are options as well (`twin serve --port`).",
        "Made from `twin/settings.py` by `python -m scripts.generated`.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        description = " ".join((field.description or "").split()).replace("|", "\\|")
        lines.append(f"| `TWIN_{name.upper()}` | {_default(field)} | {description} |")
    return "\n".join(lines) + "\n"


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "the platform's user data folder"
    value: Any = field.default
    if value is None or value == ():
        return "none"
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= MIB and value % MIB == 0:
        return f"`{value}` ({value // GIB} GiB)" if value % GIB == 0 else f"`{value}` ({value // MIB} MiB)"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _duration(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def openapi() -> str:
    """docs/openapi.json: the routes as they are."""
    return subprocess.run(
        [sys.executable, "-m", "api.openapi"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


GENERATED: dict[str, Callable[[], str]] = {"docs/settings.md": settings_page, "docs/openapi.json": openapi}


def main() -> None:
    """Write or check."""
    stale = []
    for name, make in GENERATED.items():
        path, text = ROOT / name, make()
        if path.exists() and path.read_text("utf-8") == text:
            continue
        if "--check" in sys.argv[1:]:
            stale.append(name)
        else:
            path.write_text(text, "utf-8")
            print(f"written: {name}")
    if stale:
        sys.exit(f"stale: {', '.join(stale)}. Run python -m scripts.generated (and npm run types in viewer/web).")


if __name__ == "__main__":
    main()
