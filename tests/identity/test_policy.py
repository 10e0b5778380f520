"""What a password has to be, in both profiles (6.5.2b-2)."""

import gzip
from datetime import timedelta

import pytest

from identity import accounts, policy
from identity.login import Gate
from identity.policy import DEFAULT, PasswordPolicy, check_password, policy_of
from identity.sessions import MUST_CHANGE
from tests.identity.conftest import GOOD, NOON, Clocks, enter, find, make
from twin.db import Conn
from twin.errors import Invalid
from twin.settings import Settings

DENGBAO = policy_of(Settings(password_policy="dengbao"))


def fault(rules: PasswordPolicy, password: str, *context: str) -> str | None:
    try:
        check_password(rules, password, context)
    except Invalid as error:
        return error.code
    return None


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "k7x9-tower-lamp-9",
        "Tr0ub4dor&3xyz",
        "sternenstaub im regal",
        "五月的风吹过山岗上的松树林",
        "пять синих лодок",
        "x" * 4 + "quite a long one, up to the limit" * 6,
        "🐢🐇 run very slowly",
    ],
)
def test_length_is_enough_for_asvs_whatever_the_characters(password: str) -> None:
    assert fault(DEFAULT, password) is None


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("elevenchars", "password.length"),
        ("x1y2z3" * 43, "password.length"),
        ("", "password.length"),
        ("aaaaaaaaaaaa", "password.pattern"),
        ("abcabcabcabc", "password.pattern"),
        ("abcdefghijklmnop", "password.pattern"),
        ("9876543210987", "password.pattern"),
        ("password1234", "password.common"),
        ("P@ssw0rd2024!!", "password.common"),
        ("!!Liverpool!!", "password.common"),
        ("1qaz2wsx3edc4rfv", "password.common"),
        ("qwertyuiop123", "password.common"),
    ],
)
def test_what_is_guessed_first_is_refused(password: str, code: str) -> None:
    assert fault(DEFAULT, password) == code


@pytest.mark.parametrize(
    "password", ["wang.xiaoming123", "XiaoMing-Wang-2026", "demo-tower-2026!", "Tower Demo Tower", "twin administrator"]
)
def test_names_that_everybody_knows_are_no_password(password: str) -> None:
    assert fault(DEFAULT, password, "wang.xiaoming", "Demo Tower") == "password.context"


def test_a_sentence_may_contain_the_name_of_the_building() -> None:
    assert fault(DEFAULT, "our demo tower leans to the left", "Demo Tower") is None


def test_the_list_holds_more_than_the_three_thousand_that_asvs_asks_for_of_every_length_that_can_be_chosen() -> None:
    listed = gzip.decompress(policy.COMMON.read_bytes()).decode().split("\n")
    for length in (8, 12):
        assert sum(len(word) >= length for word in listed) > 3000
    assert listed == [*sorted(set(listed) - {""}), ""]


@pytest.mark.clause("6.5.2b-2")
@pytest.mark.parametrize(
    ("password", "code"),
    [
        (GOOD, "password.kinds"),
        ("correcthorsebattery", "password.kinds"),
        ("Correcthorsebattery", "password.kinds"),
        ("Correct horse battery", None),
        ("correct-horse-battery-7", None),
        ("五月的风吹过山岗上的松A7", None),
        ("P@ssw0rd2024!!", "password.common"),
    ],
)
def test_dengbao_wants_three_kinds_of_characters_as_well(password: str, code: str | None) -> None:
    assert fault(DENGBAO, password) == code


def test_the_profiles_differ_in_what_they_promise() -> None:
    asvs = policy_of(Settings())
    assert (asvs.kinds, asvs.age_days, asvs.history) == (1, None, 0)
    assert (DENGBAO.kinds, DENGBAO.age_days, DENGBAO.history) == (3, 90, 5)
    assert not asvs.expired(NOON, NOON + timedelta(days=10_000))
    assert not DENGBAO.expired(NOON, NOON + timedelta(days=89))
    assert DENGBAO.expired(NOON, NOON + timedelta(days=90))


@pytest.mark.clause("6.5.2b-2")
async def test_dengbao_takes_none_of_the_last_five_passwords_again(conn: Conn) -> None:
    rules = policy_of(Settings(password_policy="dengbao", password_history=3))
    words = ["Alpha", "Bravo", "Charlie", "Delta"]
    first, second, third, fourth = (f"{word} 7 sails at dawn" for word in words)
    account = await accounts.create_account(conn, "li", first, ["crew"], policy=rules)
    for number, password in enumerate((second, third)):
        now = NOON + timedelta(hours=number)
        await accounts.set_password(conn, account, password, policy=rules, now=now)
        for used in (first, password):
            with pytest.raises(Invalid) as error:
                await accounts.set_password(conn, account, used, policy=rules, now=now)
            assert error.value.code == "password.used_before"
    await accounts.set_password(conn, account, fourth, policy=rules, now=NOON + timedelta(hours=2))
    await accounts.set_password(conn, account, first, policy=rules, now=NOON + timedelta(hours=3))
    await accounts.set_password(conn, account, first, now=NOON + timedelta(hours=4))  # asvs does not ask


@pytest.mark.clause("6.5.2b-2")
@pytest.mark.parametrize("rules", [Settings(password_policy="dengbao", password_age=timedelta(days=30))])
async def test_an_old_password_has_to_be_changed_before_anything_else_in_dengbao(
    gate: Gate, clocks: Clocks, rules: Settings
) -> None:
    account = await make(gate)
    async with gate.db.transaction() as conn:
        await accounts.set_password(conn, account, "Correct horse 7", policy=policy_of(rules), now=clocks.wall)
        await accounts.set_password(conn, account, GOOD, now=clocks.wall)  # for the helpers below
    token = (await enter(gate)).token
    async with gate.db.transaction() as conn:
        young = timedelta(days=29, hours=23)
        await conn.execute("UPDATE account SET password_changed_at = %s", (clocks.wall - young,))
    before = await find(gate, token)
    assert before and before.restriction is None and before.actor.permissions
    clocks.step(timedelta(hours=2))
    after = await find(gate, token)
    assert after and after.restriction == MUST_CHANGE and not after.actor.permissions
