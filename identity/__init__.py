"""Who acts, and what they may do."""

from identity.actor import SYSTEM, Actor
from identity.permissions import PERMISSIONS, ROLES, permissions_of

__all__ = ["PERMISSIONS", "ROLES", "SYSTEM", "Actor", "permissions_of"]
