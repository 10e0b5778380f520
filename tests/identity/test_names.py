"""Names that are mistaken for others are refused."""

import pytest

from identity import accounts
from identity.names import normal_name, plain_name, scripts_of, skeleton
from twin.db import Conn
from twin.errors import Conflict, Invalid


@pytest.mark.parametrize(
    "name", ["", " ", "-x", "a b", "x" * 65, "a\u202eb", "a/b", "a\u200bb", "a\u0301\u0301", "a\x00b", "\u2024x"]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as error:
        normal_name(name)
    assert error.value.code == "account.name"


@pytest.mark.parametrize(
    "name", ["\u0430dmin", "adm\u0456n", "\u03bfwner", "wang\u0661", "王\u0430", "\u13aadmin", "\U00010400dmin"]
)
def test_a_name_of_mixed_scripts_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as error:
        normal_name(name)
    assert error.value.code == "account.mixed_scripts"


@pytest.mark.parametrize(
    "name", ["li", "王芳", "wang芳", "カニ2", "김철수", "иван", "αλέξη", "li.wang@example.com", "7a"]
)
def test_names_of_one_script_or_of_latin_with_east_asian_ones_are_taken(name: str) -> None:
    assert normal_name(name) == name


@pytest.mark.parametrize(("name", "same"), [("LI", "li"), ("\uff4c\uff49", "li"), ("Ⅳ", "iv"), ("\u2126", "ω")])
def test_width_case_and_composition_make_no_other_name(name: str, same: str) -> None:
    assert plain_name(name) == same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("coco", "\u0441\u043e\u0441\u043e"),
        ("l1", "ll"),
        ("o0o", "ooo"),
        ("modern", "modem"),
        ("clara", "dara"),
        ("jose", "josé"),
        ("力二", "カニ"),
        ("a-b", "aーb"),
    ],
)
async def test_a_name_that_looks_like_an_account_is_refused(conn: Conn, one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)
    await accounts.create_account(conn, one, None, ["crew"])
    with pytest.raises(Conflict) as error:
        await accounts.create_account(conn, other, None, ["crew"])
    assert error.value.code == "account.looks_like"
    with pytest.raises(Conflict) as error:
        await accounts.create_account(conn, one.upper(), None, ["crew"])
    assert error.value.code == "account.exists"


def test_digits_and_signs_are_of_every_script() -> None:
    assert scripts_of("7.2-_@+") == frozenset()
