"""Roles and what they may do."""

from dataclasses import dataclass

from api.route import Router, allow
from identity import PERMISSIONS, ROLES
from twin.page import Page

router = Router(tags=["identity"])


@dataclass(frozen=True, slots=True)
class Role:
    """A set of permissions."""

    name: str
    permissions: list[str]


@router.get("/roles")
@allow("account.read")
async def list_roles() -> Page[Role]:
    """The roles and what they may do."""
    return Page([Role(name, [each for each in PERMISSIONS if each in granted]) for name, granted in ROLES.items()])
