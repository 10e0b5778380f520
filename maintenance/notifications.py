"""Telling people in the app: one account, or everyone with a role (7.7.1a-2). Each reads for himself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from identity import ROLES, Actor
from identity.roles import role_names
from twin.db import Conn, objects, row
from twin.errors import Invalid, text_of
from twin.events import emit
from twin.page import Page, decode_cursor, page_of


@dataclass(frozen=True, slots=True)
class Notification:
    """Something one person is told. `code` and `params` make its text in any language; `message` is in English."""

    id: int
    code: str
    params: dict[str, Any]
    message: str
    account: str | None  # to whom: this account …
    role: str | None  # … or everyone with this role
    building_id: UUID | None
    work_order_id: UUID | None
    alarm_id: UUID | None
    at: datetime
    read_at: datetime | None  # by the one who asks


async def check_account(conn: Conn, name: str, field: str = "assignee") -> None:
    """Raise Invalid unless there is an account of this name that is not disabled."""
    if await row(conn, "SELECT 1 FROM account WHERE name = %s AND NOT disabled", (name,)) is None:
        raise Invalid("account.not_known", where=field, name=name)


async def check_crew(conn: Conn, crew: str | None) -> None:
    """Raise Invalid unless `crew` is a role or an account. A role goes before an account of the same name."""
    if crew is None or await _is_role(conn, crew):
        return
    if await row(conn, "SELECT 1 FROM account WHERE name = %s AND NOT disabled", (crew,)) is None:
        raise Invalid("crew.unknown", where="crew", crew=crew, roles=", ".join(sorted(await role_names(conn))))


async def _is_role(conn: Conn, name: str) -> bool:
    return name in ROLES or await row(conn, "SELECT FROM role WHERE name = %s", (name,)) is not None


async def notify(
    conn: Conn,
    to: str,
    code: str,
    params: Mapping[str, Any],
    *,
    building_id: UUID | None,
    storey_id: UUID | None = None,
    work_order_id: UUID | None = None,
    alarm_id: UUID | None = None,
) -> None:
    """Tell a role or an account, in the transaction of what it is about; watchers get an event after the commit."""
    role, account = (to, None) if await _is_role(conn, to) else (None, to)
    made = await row(
        conn,
        """INSERT INTO notification (account_name, role, code, params, building_id, work_order_id, alarm_id)
           VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id, at""",
        (account, role, code, Jsonb(params), building_id, work_order_id, alarm_id),
    )
    assert made is not None
    data = {
        "id": made["id"],
        "account": account,
        "role": role,
        "code": code,
        "params": dict(params),
        "message": text_of(code, "en", params),
        "work_order_id": str(work_order_id) if work_order_id else None,
        "alarm_id": str(alarm_id) if alarm_id else None,
    }
    await emit(conn, "notification", data, building_id=building_id, storey_id=storey_id)


async def list_notifications(
    conn: Conn, actor: Actor, *, unread: bool = False, limit: int = 100, cursor: str | None = None
) -> Page[Notification]:
    """What the actor has been told, the newest first; with `unread` only what is new to him."""
    after = decode_cursor(cursor, 1)
    found = await objects(
        conn,
        Notification,
        """SELECT n.id, n.code, n.params, '' AS message, n.account_name AS account, n.role, n.building_id,
                  n.work_order_id, n.alarm_id, n.at, r.at AS read_at
           FROM notification n LEFT JOIN notification_read r ON r.notification_id = n.id AND r.reader = %(reader)s
           WHERE (n.account_name = %(account)s OR n.role = ANY(%(roles)s))
             AND (NOT %(unread)s OR r.at IS NULL)
             AND (%(after)s::bigint IS NULL OR n.id < %(after)s)
           ORDER BY n.id DESC LIMIT %(limit)s""",
        {
            "reader": actor.name,
            "account": actor.account,
            "roles": list(actor.roles),
            "unread": unread,
            "after": after and after[0],
            "limit": limit + 1,
        },
    )
    return page_of([_with_message(each) for each in found], limit, lambda each: [each.id])


async def mark_read(conn: Conn, actor: Actor, now: datetime, ids: Sequence[int] | None = None) -> int:
    """Mark these as read by the actor, or all that are his; answer how many were new. Others' ids are passed over."""
    result = await conn.execute(
        """INSERT INTO notification_read (notification_id, reader, at)
           SELECT n.id, %(reader)s, %(now)s FROM notification n
           WHERE (n.account_name = %(account)s OR n.role = ANY(%(roles)s))
             AND (%(ids)s::bigint[] IS NULL OR n.id = ANY(%(ids)s))
           ON CONFLICT DO NOTHING""",
        {
            "reader": actor.name,
            "account": actor.account,
            "roles": list(actor.roles),
            "ids": None if ids is None else list(ids),
            "now": now,
        },
    )
    return result.rowcount


def _with_message(each: Notification) -> Notification:
    return Notification(
        **{
            **{name: getattr(each, name) for name in Notification.__dataclass_fields__},
            "message": text_of(each.code, "en", each.params),
        }
    )
