"""Permissions, and the roles that bundle them: what the matrix editor shows and changes."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field

from api.route import Caller, Router, Tx, allow
from identity import PERMISSIONS, roles
from identity.roles import Role, Title
from twin.page import Page

router = Router(tags=["identity"])
Granted = Annotated[list[str], Field(max_length=200, description="names of permissions")]


@dataclass(frozen=True, slots=True)
class PermissionView:
    """What a role may allow. `scoped`: a grant can limit it to a place; others concern the whole server."""

    name: str
    title: Title
    scoped: bool


class NewRole(BaseModel):
    """A role of one's own."""

    name: str
    title: str
    permissions: Granted


class RolePatch(BaseModel):
    """What is left out stays."""

    title: str | None = None
    permissions: Granted | None = None


@router.get("/permissions")
@allow("account.read")
async def list_permissions() -> Page[PermissionView]:
    """Everything that a role may allow."""
    return Page([PermissionView(name, Title(each.en, each.zh), each.scoped) for name, each in PERMISSIONS.items()])


@router.get("/roles")
@allow("account.read")
async def list_roles(tx: Tx) -> Page[Role]:
    """The built-in roles, then the custom ones by name; with what they allow and how often they are granted."""
    return Page(await roles.list_roles(tx))


@router.post("/roles", status_code=201)
@allow("role.write")
async def create_role(tx: Tx, caller: Caller, body: NewRole) -> Role:
    """Make a role. Nobody makes one that allows more than he may himself."""
    return await roles.create_role(tx, caller, body.name, body.title, body.permissions)


@router.patch("/roles/{role}")
@allow("role.write")
async def change_role(tx: Tx, caller: Caller, role: str, body: RolePatch) -> Role:
    """Change a custom role; it counts at once for everyone who holds it. Built-in roles do not change."""
    return await roles.change_role(tx, caller, role, title=body.title, permissions=body.permissions)


@router.delete("/roles/{role}", status_code=204)
@allow("role.write")
async def delete_role(tx: Tx, caller: Caller, role: str) -> None:
    """Delete a custom role that nobody holds."""
    await roles.delete_role(tx, caller, role)
