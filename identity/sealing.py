"""The installation's key: seals what has to be read again (TOTP secrets) and keys the hashes of what is short.

32 random bytes in a file in the data folder, private to its user and not in the database: who gets hold of a dump
or a backup of the database alone has neither the second factors nor anything to guess recovery codes against.
A backup of an installation has to hold this file too. All servers on one database share it (setting `key_file`).
The database remembers the key's fingerprint, so that a wrong file is noticed at start and not by people who cannot
sign in.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg.types.json import Jsonb

from twin.db import Conn, row
from twin.errors import Conflict, Unavailable
from twin.settings import Settings

FILE = "installation.key"
BYTES = 32
_NONCE = 12


class Sealer:
    """Seals and keys with one key. `context` says what for: a value sealed for one thing opens for no other."""

    def __init__(self, key: bytes) -> None:
        self._seal = AESGCM(hashlib.sha256(b"seal" + key).digest())
        self._mac = hashlib.sha256(b"mac" + key).digest()

    def seal(self, secret: str, context: str) -> bytes:
        """AES-256-GCM; the nonce stands in front."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._seal.encrypt(nonce, secret.encode(), context.encode())

    def open(self, sealed: bytes, context: str) -> str:
        """What was sealed. Raises Unavailable when that was done with another key."""
        try:
            return self._seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], context.encode()).decode()
        except InvalidTag as error:
            raise Unavailable("installation.key") from error

    def digest(self, text: str, context: str) -> bytes:
        """A keyed hash (HMAC-SHA256): without the key file nothing can be tried against it."""
        return hmac.digest(self._mac, f"{context}\0{text}".encode(), "sha256")

    @property
    def fingerprint(self) -> str:
        """Says which key it is and nothing about it."""
        return self.digest("", "fingerprint").hex()[:32]


def key_path(settings: Settings) -> Path:
    """Where the key of an installation is."""
    return settings.key_file or settings.data / FILE


def load_sealer(path: Path) -> Sealer:
    """The key in a file, which is made when there is none. Raises Conflict for one that cannot be used."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        if not path.exists():
            with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(BYTES) + "\n")
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(made, path)  # whole, or not at all; of two that start at once one wins
            except FileExistsError:
                pass
            finally:
                made.unlink()
        key = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        raise Conflict("installation.key_file", where=str(path), reason=str(error)) from error
    if len(key) != BYTES:
        raise Conflict("installation.key_file", where=str(path), reason=f"{len(key)} bytes instead of {BYTES}")
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return Sealer(key)


async def open_sealer(conn: Conn, settings: Settings) -> Sealer:
    """The installation's key, checked against the database. Raises Conflict for another one than it was made with.

    While nothing has been sealed any key will do and is noted.
    """
    path = key_path(settings)
    sealer = load_sealer(path)
    known = await row(conn, "SELECT value ->> 'fingerprint' AS fingerprint FROM installation WHERE key = 'key'")
    if known and known["fingerprint"] == sealer.fingerprint:
        return sealer
    if known and await row(conn, "SELECT FROM second_factor LIMIT 1") is not None:
        raise Conflict("installation.other_key", where=str(path))
    await conn.execute(
        """INSERT INTO installation (key, value) VALUES ('key', %s)
           ON CONFLICT (key) DO UPDATE SET value = excluded.value""",
        (Jsonb({"fingerprint": sealer.fingerprint}),),
    )
    return sealer
