"""argon2id, off the event loop: one check takes some 50 ms and 64 MiB on purpose.

Two at a time per process, so that memory is bounded however many sign in at once; beyond `MOST_WAITING` callers are
sent away instead of being kept waiting for many seconds.
"""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from pwdlib import PasswordHash

from twin.errors import Unavailable

LONGEST = 256
MOST_WAITING = 100
T = TypeVar("T")

_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
_hasher = PasswordHash.recommended()


class Work:
    """What this process has hashed so far: one `operations` per argon2 computation, `waiting` for a thread now."""

    operations = 0
    waiting = 0


async def hash_password(password: str) -> str:
    return await _off_loop(lambda: _hasher.hash(password))


async def verify_password(password: str, hash: str | None) -> bool:
    """Whether it is the one, exactly as given; `hash` None (no such account) costs the same and is never true."""
    # What is too long is never right, and costs no more than what is not.
    given = password if len(password) <= LONGEST else password[:LONGEST]
    fits = await _off_loop(lambda: _hasher.verify(given, hash or _nobodys_hash()))
    return fits and hash is not None and len(password) <= LONGEST


async def _off_loop(work: Callable[[], T]) -> T:
    if Work.waiting >= MOST_WAITING:
        raise Unavailable("login.busy")
    Work.waiting += 1
    Work.operations += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, work)
    finally:
        Work.waiting -= 1


@cache
def _nobodys_hash() -> str:
    """Of a password nobody knows, with the parameters of the others; made once per process."""
    return _hasher.hash(secrets.token_urlsafe(32))


def new_password() -> str:
    """20 characters that are not mixed up when read aloud; 99 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))
