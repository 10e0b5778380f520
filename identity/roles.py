"""Roles: the built-in ones are data (identity/permissions.py), custom ones are rows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from psycopg import errors as pg

from identity import audit
from identity.actor import Actor
from identity.permissions import PERMISSIONS, ROLES, TITLES
from twin.db import Conn, row, rows
from twin.errors import Conflict, Denied, Invalid, NotFound

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Title:
    """What something is called, in both languages; a custom role has one title for both."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Role:
    """A set of permissions with a name. `grants`: how many accounts and keys hold it, at how many places."""

    name: str
    title: Title
    builtin: bool
    permissions: list[str]
    grants: int


async def list_roles(conn: Conn) -> list[Role]:
    """All roles: the built-in ones, then the custom ones by name."""
    counts = {
        found["role"]: found["n"]
        for found in await rows(conn, "SELECT role, count(*) AS n FROM role_grant GROUP BY role")
    }
    builtin = [
        Role(name, Title(*TITLES[name]), True, [each for each in PERMISSIONS if each in given], counts.get(name, 0))
        for name, given in ROLES.items()
    ]
    custom = [
        Role(
            found["name"],
            Title(found["title"], found["title"]),
            False,
            [each for each in PERMISSIONS if each in found["permissions"]],
            counts.get(found["name"], 0),
        )
        for found in await rows(conn, "SELECT name, title, permissions FROM role ORDER BY name")
    ]
    return builtin + custom


async def get_role(conn: Conn, name: str) -> Role:
    """A role by name. Raises NotFound."""
    for role in await list_roles(conn):
        if role.name == name:
            return role
    raise NotFound("role.missing", name=name)


async def find_permissions(conn: Conn, name: str) -> frozenset[str] | None:
    """What a role allows; None: there is no such role. Nobody can delete it before this transaction ends."""
    if name in ROLES:
        return ROLES[name]
    found = await row(conn, "SELECT permissions FROM role WHERE name = %s FOR KEY SHARE", (name,))
    return None if found is None else frozenset(found["permissions"]).intersection(PERMISSIONS)


async def role_names(conn: Conn) -> list[str]:
    """The names of all roles."""
    return [*ROLES, *(found["name"] for found in await rows(conn, "SELECT name FROM role ORDER BY name"))]


async def create_role(conn: Conn, actor: Actor, name: str, title: str, permissions: Sequence[str]) -> Role:
    """A new role. Raises Invalid, Conflict (name taken), Denied (a permission that the actor does not hold itself)."""
    if not _NAME.fullmatch(name):
        raise Invalid("role.name", where="name", name=name[:60])
    given = _checked(actor, permissions)
    try:
        if name in ROLES:
            raise pg.UniqueViolation
        async with conn.transaction():
            await conn.execute(
                "INSERT INTO role (name, title, permissions, created_by) VALUES (%s, %s, %s, %s)",
                (name, _title(title), given, actor.name),
            )
    except pg.UniqueViolation:
        raise Conflict("role.exists", where="name", name=name) from None
    await audit.record(conn, actor, "role.create", f"role:{name}", after={"title": title, "permissions": given})
    return await get_role(conn, name)


async def change_role(
    conn: Conn, actor: Actor, name: str, *, title: str | None = None, permissions: Sequence[str] | None = None
) -> Role:
    """Change a custom role; who holds it may do other things from the commit on. Raises as `create_role` does."""
    before = await _custom(conn, name)
    given = before.permissions if permissions is None else _checked(actor, permissions, kept=before.permissions)
    await conn.execute(
        "UPDATE role SET title = %s, permissions = %s WHERE name = %s",
        (before.title.en if title is None else _title(title), given, name),
    )
    after = await get_role(conn, name)
    await audit.record(conn, actor, "role.change", f"role:{name}", before=_shown(before), after=_shown(after))
    return after


async def delete_role(conn: Conn, actor: Actor, name: str) -> None:
    """Delete a custom role that nobody holds. Raises NotFound, Conflict."""
    role = await _custom(conn, name)
    if role.grants:
        raise Conflict("role.in_use", name=name, count=role.grants)
    await conn.execute("DELETE FROM role WHERE name = %s", (name,))
    await audit.record(conn, actor, "role.delete", f"role:{name}", before=_shown(role))


async def _custom(conn: Conn, name: str) -> Role:
    """A custom role, locked. Raises NotFound, Conflict for a built-in one."""
    if name in ROLES:
        raise Conflict("role.builtin", name=name)
    await conn.execute("SELECT FROM role WHERE name = %s FOR UPDATE", (name,))
    return await get_role(conn, name)


def _checked(actor: Actor, permissions: Sequence[str], kept: Sequence[str] = ()) -> list[str]:
    """The permissions in the order of their table. Nobody makes a role that allows more than he may himself."""
    for permission in permissions:
        if permission not in PERMISSIONS:
            raise Invalid("role.permission", where="permissions", permission=permission[:60])
        if permission not in kept and not actor.scope(permission).everywhere:
            raise Denied("grant.beyond", where="permissions", permission=permission)
    return [each for each in PERMISSIONS if each in permissions]


def _title(title: str) -> str:
    plain = title.strip()
    if not 1 <= len(plain) <= 100 or not plain.isprintable():
        raise Invalid("role.title", where="title")
    return plain


def _shown(role: Role) -> dict[str, object]:
    return {"title": role.title.en, "permissions": role.permissions}
