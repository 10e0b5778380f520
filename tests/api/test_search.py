"""The search language: what each condition finds, what a wrong query is told, and that nothing makes it fall over."""

from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from api.query_language import (
    HAS,
    IN,
    KEYS,
    MAX_TERMS,
    All,
    Either,
    Node,
    Not,
    Term,
    filled_in,
    named,
    parse,
    parse_property,
)
from api.query_sql import condition
from api.saved import MOST_NESTED, Content, asked, create_saved
from api.searching import branches, search, search_ids, search_rows, search_words
from identity.actor import Actor
from tests.access import world
from tests.access.world import Building
from tests.serving import Server
from twin.blobs import BlobStore
from twin.db import Conn
from twin.errors import Invalid

WALL = {
    "Pset_PumpCommon": {"FireRating": {"value": "REI 60"}, "Load": {"value": 12.5}, "IsExternal": {"value": True}},
    "Set with blanks": {"100%_x": {"value": "a_b"}},
}


@pytest.fixture
async def place(conn: Conn, blobs: BlobStore) -> Building:
    """Two storeys with a room, three pumps each: `element` has an alarm and properties, `pump` inherits some."""
    made = await world.build(conn, blobs, "Tower")
    await conn.execute(
        """UPDATE element SET psets = %s, quantities = %s, materials = '["Steel"]', tag = 'P-1' WHERE id = %s""",
        (Jsonb(WALL), Jsonb({"Qto": {"NetFloorArea": {"value": 40}}}), made.ids["element"]),
    )
    await conn.execute(
        "UPDATE element_type SET psets = %s WHERE id = %s",
        (Jsonb({"Pset_PumpCommon": {"FireRating": {"value": "EI 30"}, "Load": {"value": ""}}}), made.up["type"]),
    )
    await conn.execute("""UPDATE element SET own_properties = '{"Pset_PumpCommon.FireRating": "none yet", "note": "x"}'
                          WHERE id = %s""", (made.up["pump"],))  # fmt: skip
    return made


ME, OTHER = Actor("account:me"), Actor("account:other")


async def keep(conn: Conn, place: Building, name: str, query: str, by: Actor = ME, *, shared: bool = False) -> None:
    await create_saved(conn, by, place.id, "search", name, Content(query=query), shared=shared, picture=None)


async def names(conn: Conn, place: Building, text: str) -> set[str]:
    """What a query finds, without the mark of the building."""
    query = await asked(conn, ME, place.id, text)
    found = await search(conn, place.id, query, limit=1000, cursor=None)
    ids = await search_ids(conn, place.id, query)
    assert found.count == ids.count == len(found.items) and ids.global_ids == sorted(e.global_id for e in found.items)
    return {(e.name or "").removeprefix("Tower ") for e in found.items}


LOW = {"element low", "pump low", "duct low", "space low"}
HIGH = {"element high", "pump high", "duct high", "space high"}


FINDS = [
    ("", LOW | HIGH),
    ("pump high", {"pump high"}),
    ('"type high"', HIGH - {"space high"}),  # the name of the type
    ('"Tower space"', {"space low", "space high"}),
    ("class:IfcSpace", {"space low", "space high"}),
    ("class:spatialelement -storey:*high", {"space low"}),
    ('storey:"tower LOW"', LOW),
    ("storey~high class:Pump", HIGH - {"space high"}),
    ("name:*duct*,*space* storey~low", {"duct low", "space low"}),
    ("system~water", {"pump low", "duct high"}),
    ("has:system", {"pump low", "duct high"}),
    ("has:alarm", {"element low", "space low", "element high", "space high"}),
    ("has:alarm,order class:Pump", {"element low", "element high"}),
    ("has!=type", {"space low", "space high"}),
    ("Pset_PumpCommon.FireRating:none", (LOW | {"space high"}) - {"element low"}),
    ("Pset_PumpCommon.FireRating:any", {"element low", "pump high", "element high", "duct high"}),
    ('Pset_PumpCommon.FireRating:"rei 60"', {"element low"}),
    ('Pset_PumpCommon.FireRating="REI 60","EI 30"', {"element low", "element high", "duct high"}),
    ("Pset_PumpCommon.FireRating~yet", {"pump high"}),
    ("Pset_PumpCommon.FireRating!=any class:Pump", {"pump low", "duct low"}),
    ("Pset_PumpCommon.Load:none class:Pump storey~high", HIGH - {"space high"}),  # an empty text says nothing
    ("Pset_PumpCommon.Load>12.4 Pset_PumpCommon.Load<=12.5", {"element low"}),
    ("Pset_PumpCommon.Load:12.50", {"element low"}),
    ("Pset_PumpCommon.IsExternal:TRUE", {"element low"}),
    ("*.FireRating~60", {"element low"}),
    ("own.note:x", {"pump high"}),
    ('"Set with blanks"."100%_x":a_b', {"element low"}),
    ('"Set with blanks"."100%_x":a%b', set()),  # % and _ stand for themselves
    ("area>=20", {"element low", "space low", "space high"}),
    ("area>20", {"element low"}),
    ("elevation> -1 elevation<1 class:Space", {"space low"}),
    ("live>21", {"element low", "element high"}),
    ("live.tower>21.5", set()),
    ("material:steel", {"element low"}),
    ("tag:P-1 OR name~duct AND NOT storey~low", {"element low", "duct high"}),
    ("(tag:P-1 OR name~duct) -storey~low", {"duct high"}),
    ("space~space storey~low", {"element low", "pump low", "duct low"}),
    ("point:tower.low.temperature", {"element low"}),
    ("model~mep -class:Pump", {"space low", "space high"}),
    ('in:"low pumps"', LOW - {"space low"}),
    ('in:"LOW pumps" has:system', {"pump low"}),
    ('-in:"low pumps",rooms', HIGH - {"space high"}),
    ('in!="low pumps" class:Pump', HIGH - {"space high"}),
    ("in:either -name~duct", {"element low", "pump low", "space low", "space high"}),  # names others itself
    ('in:"low pumps" OR tag:P-1 OR name:*duct*', {"element low", "pump low", "duct low", "duct high"}),
]
SAVED = {"low pumps": "class:Pump storey~low", "rooms": "class:Space", "either": 'in:"low pumps" OR in:rooms'}


async def test_a_query_finds_what_it_says(conn: Conn, place: Building) -> None:
    for name, query in SAVED.items():
        await keep(conn, place, name, query)
    found = {text: await names(conn, place, text) for text, _ in FINDS}
    assert found == dict(FINDS)


async def test_a_saved_search_in_a_query_is_ones_own_or_shared(conn: Conn, place: Building) -> None:
    await keep(conn, place, "mine", "class:Space", OTHER)
    with pytest.raises(Invalid) as raised:
        await asked(conn, ME, place.id, "has:alarm in:mine")
    assert (raised.value.code, raised.value.params["at"]) == ("query.unknown_saved", 11)
    await keep(conn, place, "Theirs", "class:Space storey~low", OTHER, shared=True)
    assert await names(conn, place, "in:theirs") == {"space low"}
    await keep(conn, place, "theirs", "class:Space storey~high")
    assert await names(conn, place, "in:theirs") == {"space high"}  # one's own first
    await keep(conn, place, "all", "  ")
    assert await names(conn, place, "in:all") == LOW | HIGH


async def test_saved_searches_that_name_each_other_come_to_an_end(conn: Conn, place: Building) -> None:
    await keep(conn, place, "chicken", "in:egg")
    await keep(conn, place, "egg", "in:chicken")
    await keep(conn, place, "many", "has:alarm " * MAX_TERMS)
    await keep(conn, place, "0", "class:Space")
    for i in range(MOST_NESTED):
        await keep(conn, place, str(i + 1), f"in:{i}")
    assert await names(conn, place, f"in:{MOST_NESTED - 1}") == {"space low", "space high"}
    for text, code in {"x in:egg": "nested", f"x in:{MOST_NESTED}": "nested", "x in:many": "too_many"}.items():
        with pytest.raises(Invalid) as raised:
            await asked(conn, ME, place.id, text)
        assert (raised.value.code, raised.value.params["at"]) == (f"query.{code}", 3), text


async def test_rows_come_page_by_page_and_words_tell_what_may_be_asked(conn: Conn, place: Building) -> None:
    first = await search(conn, place.id, parse("class:Pump"), limit=4, cursor=None)
    rest = await search(conn, place.id, parse("class:Pump"), limit=4, cursor=first.next)
    whole = [e.id async for e in search_rows(conn, place.id, parse("class:Pump"))]
    assert [e.id for e in [*first.items, *rest.items]] == whole and (len(whole), rest.next, rest.count) == (6, None, 6)
    words = await search_words(conn, place.id)
    assert words.classes == ["IfcPump", "IfcSpace"] and words.systems == ["Tower water"]
    assert {"Pset_PumpCommon.FireRating", "Qto.NetFloorArea"} <= set(words.properties)
    assert [each.removeprefix("Tower ") for each in words.storeys] == ["low", "high"]


async def test_every_branch_of_a_tree_says_how_to_find_what_is_in_it(conn: Conn, place: Building) -> None:
    await conn.execute(r"""UPDATE element_group SET name = 'a "b" \ c*' WHERE id = %s""", (place.ids["system"],))
    for by, expected in {
        "class": 2,
        "type": 3,
        "system": 2,
        "zone": 1,
        "space": 3,
        "discipline": 1,
        "model": 1,
    }.items():
        found = await branches(conn, place.id, by, parse("-id:nothing"))
        assert len(found) == expected and sum(each.count for each in found) == 8
        for each in found:
            assert (await search_ids(conn, place.id, parse(each.query))).count == each.count, each


async def test_what_is_found_is_grouped_by_the_values_of_a_property(conn: Conn, place: Building) -> None:
    rating = await branches(conn, place.id, parse_property("Pset_PumpCommon.FireRating"), parse("class:Pump"))
    assert {each.value: each.count for each in rating} == {"EI 30": 2, "none yet": 1, "REI 60": 1, None: 2}
    await conn.execute("""UPDATE element SET own_properties = '{"note": "None"}'
                          WHERE id = %s""", (place.ids["pump"],))  # fmt: skip
    for text, values in {
        "Pset_PumpCommon.Load": {"12.5": 1, None: 7},  # an empty text says nothing
        "Pset_PumpCommon.IsExternal": {"true": 1, None: 7},
        '"Set with blanks"."100%_x"': {"a_b": 1, None: 7},
        "own.note": {"None": 1, "x": 1, None: 6},
        "*.NetFloorArea": {"40": 1, None: 7},
    }.items():
        found = await branches(conn, place.id, parse_property(text), None)
        assert {each.value: each.count for each in found} == values, text
        for each in found:
            assert (await search_ids(conn, place.id, parse(each.query))).count == each.count, each
    for wrong in ("", "class", "Set.", "Set.Name:x", "a.b OR c.d", "live.x", '"open'):
        with pytest.raises(Invalid):
            parse_property(wrong)


def test_what_is_beside_each_other_must_all_hold_and_or_binds_less() -> None:
    assert parse("has:alarm (storey:1,2 OR name~pump) -x") == All(
        (
            Term("has", ":", ("alarm",), 1),
            Either((Term("storey", ":", ("1", "2"), 12), Term("name", "~", ("pump",), 26))),
            Not(Term("", "~", ("x",), 38)),
        )
    )
    assert parse(r'tag:"a \" b"') == Term("tag", ":", ('a " b',), 1) and parse("  ") is None
    assert parse("tag:10:30-b") == Term("tag", ":", ("10:30-b",), 1)


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        ('name:"pump', "query.unclosed_quote", 6),
        ("(a OR b", "query.unclosed_paren", 1),
        ("a OR", "query.incomplete", 5),
        ("a )", "query.unexpected", 3),
        ("name:", "query.value_missing", 6),
        ("a nmae:x", "query.unknown_key", 3),
        ("has:wings", "query.unknown_has", 1),
        ("name>3", "query.operator", 1),
        ("in~pumps", "query.in_operator", 1),
        ("area:big", "query.number", 1),
        ("Pset.X>1e400", "query.number", 1),
        ("area>1,2", "query.one_number", 1),
        ("Pset.:1", "query.property", 1),
        ("(" * 30 + "a" + ")" * 30, "query.too_deep", 22),
        ("a " * (MAX_TERMS + 1), "query.too_many", 2 * MAX_TERMS + 1),
        ("a" * 2001, "query.too_long", 1),
    ],
)
def test_a_wrong_query_is_told_what_is_wrong_and_where(text: str, code: str, at: int) -> None:
    with pytest.raises(Invalid) as raised:
        parse(text)
    assert (raised.value.code, raised.value.params["at"], raised.value.where) == (code, at, "q")
    assert "{" not in raised.value.text("en") + raised.value.text("zh")


PIECES = st.sampled_from(
    (*KEYS, *HAS, "Pset_PumpCommon.FireRating", "*.Load", "live.x", "own.n", '"a b"', '"', "\\", "(", ")", "-", " ",
     ":", "!=", "~", "<", ">=", ",", "*", "%", "_", "'", ";--", "none", "any", "OR", "AND", "NOT", "1", "-2.5", "1e29",
     "0", "1e-300", "💥", "墙", "\u202e", "$1", "%(v0)s", "{}", "{v}", "%s")
)  # fmt: skip


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=30))
def test_every_text_is_a_query_or_is_refused(text: str) -> None:
    """And values never become SQL."""
    query = read(text)
    if query is not None:
        query = filled_in(query, dict.fromkeys(named(query), "storey~low OR class:Pump"))
    where, params = condition(query)
    statement = where.as_string(None)
    for value in params.values():
        for each in value if isinstance(value, list) else [value]:
            assert not isinstance(each, str) or len(each) < 12 or each not in statement


def read(text: str) -> Node | None:
    """The query, or none where it is refused as a query is."""
    try:
        return parse(text)
    except Invalid as error:
        where = error.params["at"]
        if not error.code.startswith("query.") or not 1 <= where <= len(text) + 1:
            raise
        return None


async def test_whatever_can_be_asked_the_database_answers(conn: Conn, place: Building) -> None:
    """Every key with every operator and every kind of value, singly and joined: an answer or a refusal, no error."""
    answered = 0
    for key in [*(each for each in KEYS if each != IN), "Pset_PumpCommon.Load", "*.Load", "live.temp", "own.note"]:
        queries: list[Any] = []
        for op in (":", "!=", "~", "<", ">="):
            for value in (
                "none",
                "any",
                "1",
                "1e30",
                "-0.5",
                "a*b",
                '"\\\\"',
                '"%(v0)s {} \' \\" ;"',
                "x,any,3",
                ",".join(HAS),
            ):
                try:
                    queries.append(parse(f"{key}{op}{value}"))
                except Invalid:
                    continue
        assert queries or key == "own"
        if queries:
            await search_ids(conn, place.id, Either(tuple(queries)))
            answered += len(queries)
    assert answered > 400


def test_searches_rules_and_viewpoints_are_kept_for_oneself_or_shared(server: Server, client: httpx.Client) -> None:
    client.post("/buildings", json={"name": "Saved house"}).raise_for_status()
    wrong = client.get("/buildings/Saved house/search", params={"q": "nmae:x"}, headers={"accept-language": "en"})
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["where"]) == (422, "query.unknown_key", "q")
    assert "name" in wrong.json()["detail"] and "character 1" in wrong.json()["detail"]
    table = client.get("/buildings/Saved house/search/table", params={"q": "class:Wall"})
    assert table.text.lstrip("\ufeff").splitlines()[0].startswith("global_id,ifc_class")
    rules = {"rules": [{"query": "*.FireRating:none", "colour": "#d95f0e", "label": "Missing"}], "others": "ghost"}
    body = {"kind": "rules", "name": "Fire rating missing", "content": rules}
    kept = client.post("/buildings/Saved house/saved", json=body).raise_for_status().json()
    assert kept["mine"] and not kept["shared"] and kept["content"] == rules
    assert client.post("/buildings/Saved house/saved", json=body).json()["code"] == "saved.name_taken"
    broken = {**body, "name": "b", "content": {"rules": [{"query": "(", "colour": "#d95f0e", "label": "x"}]}}
    assert client.post("/buildings/Saved house/saved", json=broken).json()["code"] == "query.incomplete"
    empty = {**body, "name": "b", "content": {"query": "x"}}
    assert client.post("/buildings/Saved house/saved", json=empty).json()["code"] == "saved.content"
    picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    view = {"kind": "viewpoint", "name": "Plant", "content": {"view": "eyJlIjpbMSwyLDNdfQ"}, "picture": picture}
    place = client.post("/buildings/Saved house/saved", json=view).raise_for_status().json()
    assert client.get(f"/saved/{place['id']}/picture").headers["content-type"] == "image/png"
    assert client.post("/buildings/Saved house/saved", json={**view, "name": "c", "picture": "AAAA"}).json()[
        "code"
    ] == ("saved.picture")
    role = client.post("/api-keys", json={"name": "saved reader", "role": "owner"}).raise_for_status().json()
    with httpx.Client(base_url=client.base_url, headers={"authorization": f"Bearer {role['secret']}"}) as other:
        listed = "/buildings/Saved house/saved"
        assert other.get(listed).json()["items"] == []
        assert other.get(f"/saved/{kept['id']}").status_code == 404
        client.patch(f"/saved/{kept['id']}", json={"shared": True}).raise_for_status()
        (seen,) = other.get(listed, params={"kind": "rules"}).json()["items"]
        assert seen["name"] == "Fire rating missing" and not seen["mine"]
        assert other.delete(f"/saved/{kept['id']}").json()["code"] == "saved.not_yours"
        own = {"kind": "search", "name": "Pumps", "content": {"query": "class:Pump"}}
        assert other.post(listed, json={**own, "shared": True}).json()["code"] == "permission.missing"
        assert other.post(listed, json=own).status_code == 201
        client.post("/buildings", json={"name": "Another house"}).raise_for_status()
        elsewhere = {"key": role["key"]["id"], "role": "facility_engineer", "building": "Another house"}
        client.post("/grants", json=elsewhere).raise_for_status()
        assert other.post(listed, json={**own, "name": "P", "shared": True}).json()["code"] == "permission.elsewhere"
        layout = {"left": {"size": 300, "open": False}, "charts": {place["id"]: [[kept["id"]]]}}
        assert other.put("/me/workspace", json=layout).status_code == 204
        assert other.get("/me/workspace").json() == layout
        assert client.get("/me/workspace").json() == {}
    assert client.delete(f"/saved/{kept['id']}").status_code == 204
    assert [each["name"] for each in client.get(listed).json()["items"]] == ["Plant"]
