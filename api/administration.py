"""What the command line does on an installation besides serving: a check-up."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from api.web import DIST
from identity.sealing import key_path, open_sealer
from twin.db import open_database, row
from twin.errors import TwinError
from twin.settings import GIB, Settings

OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `fix` says what to do when it is not `ok`."""

    ok: bool
    what: str
    fix: str = ""


async def diagnose(settings: Settings) -> list[Finding]:
    """Look at everything the server needs and say what is missing."""
    python = ".".join(map(str, sys.version_info[:3]))
    free = shutil.disk_usage(_existing(settings.data)).free
    built = (DIST / "index.html").is_file()
    found = [
        Finding(sys.version_info >= OLDEST_PYTHON, f"Python {python}", "Install Python 3.11 or newer."),
        Finding(built, f"viewer at {DIST}" if built else "the viewer is not built", "Run `make setup`."),
        Finding(free > 2 * GIB, f"{free / GIB:.1f} GiB free under {settings.data}", "Free disk space, or use --data."),
    ]
    try:
        async with open_database(settings) as db, db.connection() as conn:
            version = await row(conn, "SELECT current_setting('server_version') AS v") or {}
            engine = await row(conn, "SELECT value ->> 'engine' AS v FROM installation WHERE key = 'history'")
            used = "your own" if settings.database else "embedded"
            found.append(Finding(True, f"PostgreSQL {version['v']} ({used})"))
            await open_sealer(conn, settings)
            found.append(Finding(True, f"installation key at {key_path(settings)}: keep it with every backup"))
            found.append(Finding(True, f"history: {engine['v'] if engine else 'made at the first start'}"))
    except TwinError as error:
        what = "installation key" if error.code.startswith("installation.") else "database"
        found.append(Finding(False, f"{what}: {error.text('en')}", "See the message; `--database` names another."))
    return found


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)
