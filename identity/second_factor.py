"""TOTP (RFC 6238) as second factor, and the recovery codes for who loses the device (6.5.2b-2).

A code counts in its own 30 s step and in the ones beside it, and once: the newest used step is kept, and no code of
it or of an earlier one is taken again (RFC 6238, 5.2). Steps are of Unix time, which the device shares: the wall
clock. The secret is sealed with the installation's key, recovery codes are kept as keyed hashes.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pyotp
import segno
from pyotp.utils import strings_equal

from identity.sealing import Sealer
from twin.db import Conn, row
from twin.errors import Conflict, Invalid

ISSUER = "Twin"
RECOVERY_CODES = 10
STEP_S = 30
STEPS_BESIDE = 1
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that are mixed up; 10 of them are 49 bits


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator needs, shown until it is confirmed with a first code."""

    secret: str  # base32
    uri: str  # otpauth://totp/…
    qr_svg: str


async def begin(conn: Conn, sealer: Sealer, account: UUID, name: str) -> Enrolment:
    """A new secret for an account, in force once confirmed. Raises Conflict when there is a confirmed one."""
    secret = pyotp.random_base32()
    made = await row(
        conn,
        """INSERT INTO second_factor AS known (account_id, secret) VALUES (%(account)s, %(secret)s)
           ON CONFLICT (account_id) DO UPDATE SET secret = excluded.secret, last_step = 0
           WHERE known.confirmed_at IS NULL RETURNING account_id""",
        {"account": account, "secret": sealer.seal(secret, _context(account))},
    )
    if made is None:
        raise Conflict("second_factor.exists")
    uri = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)
    image = segno.make(uri, error="m", micro=False).svg_inline(scale=4, border=4, light="#fff", dark="#000")
    return Enrolment(secret, uri, image)


async def confirm(conn: Conn, sealer: Sealer, account: UUID, code: str, now: datetime) -> list[str]:
    """Put the new secret in force by a code of it; the recovery codes, shown this once.

    Raises Conflict when no enrolment is under way, Invalid for a wrong code.
    """
    waiting = await row(conn, "SELECT FROM second_factor WHERE account_id = %s AND confirmed_at IS NULL", (account,))
    if waiting is None:
        raise Conflict("second_factor.not_begun")
    if not await _use_step(conn, sealer, account, code, now):
        raise Invalid("second_factor.code", where="code")
    await conn.execute("UPDATE second_factor SET confirmed_at = %s WHERE account_id = %s", (now, account))
    return await new_recovery_codes(conn, sealer, account)


async def is_on(conn: Conn, account: UUID) -> bool:
    """Whether an account has a confirmed second factor."""
    found = await row(conn, "SELECT FROM second_factor WHERE account_id = %s AND confirmed_at IS NOT NULL", (account,))
    return found is not None


async def check_code(conn: Conn, sealer: Sealer, account: UUID, code: str, now: datetime) -> str | None:
    """Use a code: `totp` or `recovery` says what it was; None: it is wrong or was used before."""
    if not await is_on(conn, account):
        return None
    if await _use_step(conn, sealer, account, code, now):
        return "totp"
    used = await row(
        conn,
        """UPDATE recovery_code SET used_at = %s WHERE account_id = %s AND code_hash = %s AND used_at IS NULL
           RETURNING account_id""",
        (now, account, _hash(sealer, account, code)),
    )
    return "recovery" if used else None


async def new_recovery_codes(conn: Conn, sealer: Sealer, account: UUID) -> list[str]:
    """Ten new codes; the ones before are void."""
    codes = ["".join(secrets.choice(_LETTERS) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    await conn.execute("DELETE FROM recovery_code WHERE account_id = %s", (account,))
    async with conn.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO recovery_code (account_id, code_hash) VALUES (%s, %s)",
            [(account, _hash(sealer, account, code)) for code in codes],
        )
    return [f"{code[:5]}-{code[5:]}" for code in codes]


async def recovery_codes_left(conn: Conn, account: UUID) -> int:
    """How many recovery codes are unused."""
    found = await row(
        conn, "SELECT count(*) AS n FROM recovery_code WHERE account_id = %s AND used_at IS NULL", (account,)
    )
    return int(found["n"]) if found else 0


async def remove(conn: Conn, account: UUID) -> bool:
    """Take the second factor and its recovery codes away; whether there was one."""
    await conn.execute("DELETE FROM recovery_code WHERE account_id = %s", (account,))
    return (await conn.execute("DELETE FROM second_factor WHERE account_id = %s", (account,))).rowcount > 0


async def _use_step(conn: Conn, sealer: Sealer, account: UUID, code: str, now: datetime) -> bool:
    """Whether `code` is of a step around `now` that is newer than the newest used one, which it then is."""
    found = await row(conn, "SELECT secret FROM second_factor WHERE account_id = %s", (account,))
    given = code.replace(" ", "")
    if found is None or len(given) != 6 or not given.isascii():
        return False
    totp = pyotp.TOTP(sealer.open(found["secret"], _context(account)))
    present = int(now.timestamp()) // STEP_S
    for step in range(present - STEPS_BESIDE, present + STEPS_BESIDE + 1):
        if strings_equal(totp.generate_otp(step), given):
            # One statement: of two requests with the same code one gets the row.
            used = await row(
                conn,
                """UPDATE second_factor SET last_step = %(step)s WHERE account_id = %(id)s AND last_step < %(step)s
                   RETURNING account_id""",
                {"step": step, "id": account},
            )
            if used is not None:
                return True
    return False


def _hash(sealer: Sealer, account: UUID, code: str) -> bytes:
    plain = code.replace("-", "").replace(" ", "").casefold()
    return sealer.digest(plain, f"recovery {account}")


def _context(account: UUID) -> str:
    return f"totp {account}"
