"""The life of a work order, and who may move it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity import ROLES, Actor
from maintenance.order_state import RULES, Act, OrderState, Standing, open_acts, step
from twin.errors import Conflict, Denied


def someone(name: str, *roles: str) -> Actor:
    return Actor(f"account:{name}", roles, frozenset().union(*(ROLES[role] for role in roles)))


LI = someone("li", "crew")
WANG = someone("wang", "crew")
ENGINEER = someone("zhao", "facility_engineer")
OPERATOR = someone("sun", "duty_operator")
ADMIN = someone("admin", "administrator")
OWNER = someone("owner", "owner")


@pytest.mark.clause("6.4.3f")
def test_the_straight_way_leads_from_open_to_verified() -> None:
    order = Standing(OrderState.OPEN)
    for act, actor in [(Act.ASSIGN, OPERATOR), (Act.START, LI), (Act.DONE, LI), (Act.VERIFY, ENGINEER)]:
        order = replace(order, state=step(order, act, actor), assignee="li")
    assert order.state is OrderState.VERIFIED


def test_verification_that_fails_reopens_the_order() -> None:
    assert step(Standing(OrderState.DONE), Act.REOPEN, ENGINEER) is OrderState.IN_PROGRESS


def test_a_closed_order_takes_nothing_but_comments() -> None:
    for state in (OrderState.VERIFIED, OrderState.CANCELLED):
        assert open_acts(Standing(state), ADMIN) == [Act.COMMENT]


def test_an_act_out_of_turn_says_where_the_order_stands() -> None:
    with pytest.raises(Conflict, match=r"open.*in_progress") as caught:
        step(Standing(OrderState.OPEN), Act.DONE, ADMIN)
    assert caught.value.code == "work_order.state"


def test_a_crew_member_works_on_his_own_orders_only() -> None:
    assert step(Standing(OrderState.ASSIGNED, assignee="li"), Act.START, LI) is OrderState.IN_PROGRESS
    with pytest.raises(Denied) as caught:
        step(Standing(OrderState.ASSIGNED, assignee="li"), Act.START, WANG)
    assert caught.value.code == "work_order.not_yours"


def test_an_order_for_a_crew_is_taken_by_whoever_starts_it() -> None:
    for_crew = Standing(OrderState.ASSIGNED, crew="crew")
    assert step(for_crew, Act.START, LI) is step(for_crew, Act.START, WANG) is OrderState.IN_PROGRESS
    with pytest.raises(Denied):
        step(Standing(OrderState.ASSIGNED, crew="duty_operator"), Act.START, LI)


def test_nobody_verifies_his_own_work_but_an_administrator() -> None:
    for actor, allowed in [(ENGINEER, False), (ADMIN, True)]:
        order = Standing(OrderState.DONE, done_by=actor.name)
        assert (Act.VERIFY in open_acts(order, actor)) is allowed
    assert step(Standing(OrderState.DONE, done_by=LI.name), Act.VERIFY, ENGINEER) is OrderState.VERIFIED


def test_a_crew_member_neither_assigns_nor_verifies_nor_cancels() -> None:
    for state in OrderState:
        assert {Act.ASSIGN, Act.VERIFY, Act.REOPEN, Act.CANCEL}.isdisjoint(open_acts(Standing(state), LI))


def test_an_order_is_not_done_while_its_checklist_is_open() -> None:
    with pytest.raises(Conflict) as caught:
        step(Standing(OrderState.IN_PROGRESS, unchecked=2), Act.DONE, LI)
    assert caught.value.code == "work_order.unchecked"


def test_who_may_only_look_can_do_nothing() -> None:
    for state in OrderState:
        assert open_acts(Standing(state), OWNER) == []


@given(st.sampled_from(OrderState), st.lists(st.tuples(st.sampled_from(Act), st.sampled_from([LI, ENGINEER, ADMIN]))))
def test_no_way_leads_out_of_a_closed_order(state: OrderState, acts: list[tuple[Act, Actor]]) -> None:
    order = Standing(state)
    for act, actor in acts:
        before = order.state
        if act in open_acts(order, actor):
            order = replace(order, state=step(order, act, actor))
            assert before in RULES[act].sources
        if before in (OrderState.VERIFIED, OrderState.CANCELLED):
            assert order.state is before
