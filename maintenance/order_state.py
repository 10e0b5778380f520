"""The life of a work order: one table of what leads where, and who may do it. No clock, no database."""

from dataclasses import dataclass
from enum import StrEnum

from identity import Actor
from twin.errors import Conflict, Denied


class OrderState(StrEnum):
    """Where a work order stands."""

    OPEN = "open"  # nobody has it yet
    ASSIGNED = "assigned"  # a person or a crew has it
    IN_PROGRESS = "in_progress"
    DONE = "done"  # says who did it; waits for someone else's look
    VERIFIED = "verified"  # closed, good
    CANCELLED = "cancelled"  # closed, not needed


class Act(StrEnum):
    """What can be done to a work order: the last part of `POST /work-orders/{id}/{act}`."""

    ASSIGN = "assign"
    START = "start"
    DONE = "done"
    VERIFY = "verify"
    REOPEN = "reopen"
    CANCEL = "cancel"
    COMMENT = "comment"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Rule:
    """Which states an act leads from and to (None: it stays), what it is called in the trace, and who may do it."""

    sources: frozenset[OrderState]
    target: OrderState | None
    trace: str
    permission: str
    own: bool = False  # without work_order.assign only on orders that are one's own


_OPEN, _ASSIGNED, _RUNNING, _DONE = OrderState.OPEN, OrderState.ASSIGNED, OrderState.IN_PROGRESS, OrderState.DONE
_LIVE = frozenset({_OPEN, _ASSIGNED, _RUNNING, _DONE})

RULES: dict[Act, Rule] = {
    Act.ASSIGN: Rule(frozenset({_OPEN, _ASSIGNED, _RUNNING}), OrderState.ASSIGNED, "assigned", "work_order.assign"),
    Act.START: Rule(frozenset({_OPEN, _ASSIGNED}), OrderState.IN_PROGRESS, "started", "work_order.write", own=True),
    Act.DONE: Rule(frozenset({_RUNNING}), OrderState.DONE, "done", "work_order.write", own=True),
    Act.VERIFY: Rule(frozenset({_DONE}), OrderState.VERIFIED, "verified", "work_order.verify"),
    Act.REOPEN: Rule(frozenset({_DONE}), OrderState.IN_PROGRESS, "reopened", "work_order.verify"),
    Act.CANCEL: Rule(frozenset({_OPEN, _ASSIGNED, _RUNNING}), OrderState.CANCELLED, "cancelled", "work_order.assign"),
    Act.COMMENT: Rule(frozenset(OrderState), None, "comment", "work_order.write"),
    Act.CHECK: Rule(frozenset({_RUNNING}), None, "checked", "work_order.write", own=True),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether somebody may do something to an order."""

    state: OrderState
    assignee: str | None = None  # account name
    crew: str | None = None  # role or account
    done_by: str | None = None  # actor name
    unchecked: int = 0  # checklist items that are not ticked

    def belongs_to(self, actor: Actor) -> bool:
        """Whether the order is this actor's own: assigned to him, or to his crew as long as nobody has taken it."""
        if self.assignee is not None:
            return self.assignee == actor.account
        return self.crew is None or self.crew == actor.account or self.crew in actor.roles


def step(order: Standing, act: Act, actor: Actor) -> OrderState:
    """Return the state after `act`.

    Raises Conflict when the order does not stand where it could be done, Denied when this actor may not do it.
    Nobody verifies his own work but an administrator, who may be alone.
    """
    rule = RULES[act]
    actor.require(rule.permission)
    if order.state not in rule.sources:
        raise Conflict(
            "work_order.state", act=str(act), state=str(order.state), allowed=", ".join(sorted(rule.sources))
        )
    if rule.own and not actor.may("work_order.assign") and not order.belongs_to(actor):
        raise Denied("work_order.not_yours", assignee=order.assignee or order.crew or "")
    if act is Act.VERIFY and order.done_by == actor.name and "administrator" not in actor.roles:
        raise Denied("work_order.own_work")
    if act is Act.DONE and order.unchecked:
        raise Conflict("work_order.unchecked", count=order.unchecked)
    return rule.target or order.state


def open_acts(order: Standing, actor: Actor) -> list[Act]:
    """What this actor may do now, for the buttons of the app."""
    allowed = []
    for act in Act:
        try:
            step(order, act, actor)
        except (Conflict, Denied):
            continue
        allowed.append(act)
    return allowed
