"""When and from where an account may be used (6.5.2b-2)."""

from datetime import UTC, datetime, timedelta

import pytest

from identity.login import Gate
from identity.restrictions import (
    LoginHours,
    Restrictions,
    Window,
    check_hours,
    check_networks,
    is_inside,
    is_within,
    text_of_hours,
)
from tests.identity.conftest import Clocks, attempt, change, enter, find, make
from twin.errors import Denied, Invalid, Unauthenticated

OFFICE = LoginHours("Asia/Shanghai", [Window([1, 2, 3, 4, 5], "08:00", "18:00")])
NIGHT = LoginHours("Asia/Shanghai", [Window([5], "22:00", "06:00")])


def shanghai(day: int, hour: int, minute: int = 0) -> datetime:
    """In May 2026, whose 4th is a Monday."""
    return datetime(2026, 5, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


@pytest.mark.parametrize(
    ("hours", "at", "within"),
    [
        (OFFICE, shanghai(4, 8), True),
        (OFFICE, shanghai(4, 7, 59), False),
        (OFFICE, shanghai(4, 17, 59), True),
        (OFFICE, shanghai(4, 18), False),
        (OFFICE, shanghai(9, 12), False),  # Saturday
        (NIGHT, shanghai(8, 22), True),  # Friday
        (NIGHT, shanghai(9, 5, 59), True),  # Saturday morning still belongs to it
        (NIGHT, shanghai(9, 6), False),
        (NIGHT, shanghai(8, 5), False),  # Friday morning belongs to Thursday
        (NIGHT, shanghai(9, 22), False),
        (LoginHours("Asia/Shanghai", [Window([1], "00:00", "24:00")]), shanghai(4, 23, 59), True),
        (LoginHours("Asia/Shanghai", [Window([1], "00:00", "24:00")]), shanghai(5, 0), False),
        # Clocks in Berlin go forward at 02:00 on 29 March 2026: 09:00 is 07:00 UTC, the day before 08:00 UTC.
        (LoginHours("Europe/Berlin", [Window([7], "09:00", "10:00")]), datetime(2026, 3, 29, 7, tzinfo=UTC), True),
        (LoginHours("Europe/Berlin", [Window([6], "09:00", "10:00")]), datetime(2026, 3, 28, 7, tzinfo=UTC), False),
    ],
)
def test_hours_are_those_of_the_wall_in_the_accounts_time_zone(hours: LoginHours, at: datetime, within: bool) -> None:
    assert is_within(check_hours(hours), at) is within


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("192.0.2.7", True),
        ("192.0.3.7", False),
        ("::ffff:192.0.2.7", True),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("", False),
        (None, False),
        ("192.0.2.7, 10.0.0.1", False),
        ("testclient", False),
    ],
)
def test_networks_hold_addresses_of_both_kinds(address: str | None, inside: bool) -> None:
    assert is_inside(check_networks(["192.0.2.0/24", "2001:db8::/32"]), address) is inside


def test_networks_have_one_form() -> None:
    assert check_networks(["192.0.2.7/24", " 10.0.0.1 ", "2001:DB8::/32"]) == [
        "192.0.2.0/24",
        "10.0.0.1/32",
        "2001:db8::/32",
    ]


@pytest.mark.parametrize(
    "windows",
    [
        [],
        [Window([], "08:00", "18:00")],
        [Window([0], "08:00", "18:00")],
        [Window([1], "08:00", "08:00")],
        [Window([1], "24:00", "08:00")],
        [Window([1], "8:00", "18:00")],
        [Window([1], "08:00", "25:00")],
        [Window([1], "08:00", "18:00:00")],
    ],
)
def test_windows_that_make_no_sense_are_refused(windows: list[Window]) -> None:
    with pytest.raises(Invalid):
        check_hours(LoginHours("Asia/Shanghai", windows))


def test_the_hours_are_told_in_words_that_need_no_language() -> None:
    mixed = LoginHours("Asia/Shanghai", [Window([1, 2, 3], "08:00", "18:00"), Window([6, 1], "09:00", "12:00")])
    assert text_of_hours(mixed) == "1-3 08:00-18:00, 1+6 09:00-12:00 (Asia/Shanghai)"


def test_an_account_is_valid_up_to_its_end() -> None:
    until = Restrictions(shanghai(4, 12), None, None)
    until.check(shanghai(4, 11, 59), None)
    with pytest.raises(Denied) as error:
        until.check(shanghai(4, 12), None)
    assert error.value.code == "login.no_longer_valid"


@pytest.mark.clause("6.5.2b-2")
async def test_restrictions_hold_at_sign_in_and_while_the_session_lives(gate: Gate, clocks: Clocks) -> None:
    account = await make(gate)
    await change(gate, account, login_hours=OFFICE, login_networks=["192.0.2.0/24"])
    token = (await enter(gate)).token
    with pytest.raises(Denied) as refused:
        await attempt(gate, address="198.51.100.1")
    assert refused.value.code == "login.not_here"
    with pytest.raises(Unauthenticated) as error:
        await find(gate, token, address="198.51.100.1")
    assert error.value.code == "login.not_here"
    for _ in range(35):
        clocks.go(minutes=10)
        assert await find(gate, token)
    clocks.go(minutes=10)  # 18:00
    with pytest.raises(Unauthenticated) as error:
        await find(gate, token)
    assert error.value.code == "login.not_now"
    with pytest.raises(Denied) as refused:
        await attempt(gate)
    assert refused.value.code == "login.not_now"


async def test_who_does_not_know_the_password_is_not_told_of_restrictions(gate: Gate) -> None:
    account = await make(gate)
    await change(gate, account, login_networks=["198.51.100.0/24"])
    with pytest.raises(Unauthenticated) as error:
        await attempt(gate, password="a guess, and wrong")
    assert error.value.code == "login.wrong"
