"""Ids of new rows that sort as what they stand for comes in its file, version after version.

UUIDs of version 7 (RFC 9562, 6.2): a query that asks for no order gives rows as its plan has it, and plans change with
statistics. Where the order of the files decides (equal things that nothing tells apart), it is asked for by id.
"""

import secrets
import time
from uuid import UUID


def ordered_ids(count: int) -> list[UUID]:
    """Return so many new ids, each greater than the one before and, but for a clock put back, than all made earlier."""
    moment = time.time_ns() // 1_000_000 & (1 << 48) - 1
    first = secrets.randbits(30)  # ids that another import makes in this millisecond start elsewhere
    return [_uuid7(moment, first + n, secrets.randbits(42)) for n in range(count)]


def _uuid7(moment: int, counter: int, noise: int) -> UUID:
    """`moment` is 48 bits of ms since 1970, `counter` 32 bits, `noise` 42 bits."""
    high, low = counter >> 20, counter & 0xFFFFF
    return UUID(int=moment << 80 | 7 << 76 | high << 64 | 2 << 62 | low << 42 | noise)
