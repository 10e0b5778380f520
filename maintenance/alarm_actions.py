"""What operators do to alarms: acknowledge, comment, shelve, unshelve, reset (8.1.3-1)."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from identity import Actor, audit
from maintenance import alarm_state
from maintenance.alarm_state import Change, ChangeKind, Life
from maintenance.alarm_store import Alarm, add_history, announce, get_alarm, lock_life, write_life
from maintenance.orders import TEXT_LIMIT, checked_text
from twin.db import Conn
from twin.errors import Conflict, Invalid

SHELVE_DAYS = 30  # ISA-18.2 wants shelving to end by itself; whoever needs longer disables the rule


async def acknowledge(conn: Conn, actor: Actor, alarm_id: UUID, *, now: datetime, comment: str | None = None) -> Alarm:
    """Say that someone knows. Repeating it changes nothing. Raises Conflict when the alarm is closed."""
    return await _act(conn, actor, alarm_id, "acknowledge", alarm_state.acknowledge, now, comment)


async def shelve(
    conn: Conn, actor: Actor, alarm_id: UUID, *, until: datetime, now: datetime, comment: str | None = None
) -> Alarm:
    """Hide an alarm until a time, at most `SHELVE_DAYS` away; it comes back by itself."""
    if not now < until <= now + timedelta(days=SHELVE_DAYS):
        raise Invalid("alarm.shelve_until", where="until", days=SHELVE_DAYS)
    return await _act(
        conn, actor, alarm_id, "shelve", lambda life, at: alarm_state.shelve(life, until, at), now, comment
    )


async def unshelve(conn: Conn, actor: Actor, alarm_id: UUID, *, now: datetime, comment: str | None = None) -> Alarm:
    """Show a shelved alarm again."""
    return await _act(conn, actor, alarm_id, "unshelve", alarm_state.unshelve, now, comment)


async def reset(conn: Conn, actor: Actor, alarm_id: UUID, *, now: datetime, comment: str | None = None) -> Alarm:
    """Release the latch of a latching alarm. Raises Conflict while its condition holds."""

    def release(life: Life, at: datetime) -> tuple[Life, list[Change]]:
        if life.active:
            raise Conflict("alarm.still_active")
        return alarm_state.reset(life, at)

    return await _act(conn, actor, alarm_id, "reset", release, now, comment)


async def comment(conn: Conn, actor: Actor, alarm_id: UUID, *, text: str, now: datetime) -> Alarm:
    """Write something into an alarm's history, closed or not."""
    said = checked_text(text, "comment", TEXT_LIMIT)
    await lock_life(conn, alarm_id)
    await add_history(conn, alarm_id, "comment", actor.name, now, comment=said)
    await audit.record(conn, actor, "alarm.comment", f"alarm:{alarm_id}", after={"comment": said})
    await announce(conn, {alarm_id: ["comment"]})
    return await get_alarm(conn, alarm_id)


async def _act(
    conn: Conn,
    actor: Actor,
    alarm_id: UUID,
    name: str,
    act: Callable[[Life, datetime], tuple[Life, Sequence[Change]]],
    now: datetime,
    said: str | None,
) -> Alarm:
    said = None if said is None else checked_text(said, "comment", TEXT_LIMIT)
    before = await lock_life(conn, alarm_id)
    if before.closed_at is not None:
        raise Conflict("alarm.closed")
    life, changes = act(before, now)
    if changes:
        acked_by = actor.name if any(change.kind is ChangeKind.ACKNOWLEDGED for change in changes) else None
        await write_life(conn, alarm_id, life, acked_by)
    for change in changes:
        own = said if change is changes[0] else None
        await add_history(conn, alarm_id, change.kind, actor.name, change.at, comment=own)
    if said is not None and not changes:
        await add_history(conn, alarm_id, "comment", actor.name, now, comment=said)
    states = [{"state": str(alarm_state.display_state(each))} for each in (before, life)]
    states[1] |= {"comment": said} if said else {}
    await audit.record(conn, actor, f"alarm.{name}", f"alarm:{alarm_id}", before=states[0], after=states[1])
    if changes or said is not None:
        await announce(conn, {alarm_id: [change.kind for change in changes] or ["comment"]})
    return await get_alarm(conn, alarm_id)
