"""Accounts: who may sign in."""

from pydantic import BaseModel, Field

from api.route import Caller, Limit, Router, Tx, allow
from identity import accounts, audit
from identity.accounts import Account
from twin.page import Page

router = Router(tags=["identity"])


class NewAccount(BaseModel):
    """A person who may sign in."""

    name: str
    password: str
    roles: list[str] = Field(min_length=1)
    display_name: str | None = Field(None, max_length=200)
    language: str | None = Field(None, pattern="^(zh|en)$")


@router.get("/accounts")
@allow("account.read")
async def list_accounts(tx: Tx, limit: Limit = 100, cursor: str | None = None) -> Page[Account]:
    """Accounts, by name."""
    return await accounts.list_accounts(tx, limit=limit, cursor=cursor)


@router.post("/accounts", status_code=201)
@allow("account.write")
async def create_account(tx: Tx, caller: Caller, body: NewAccount) -> Account:
    """Make an account."""
    account = await accounts.create_account(
        tx, body.name, body.password, body.roles, display_name=body.display_name, language=body.language
    )
    after = {"name": account.name, "roles": account.roles}
    await audit.record(tx, caller, "account.write", f"account:{account.id}", after=after)
    return account
