"""Conditions of the search language as SQL on element `e`, its type `t` and model `m`. Values are parameters only."""

from collections.abc import Mapping
from typing import Any, Final, LiteralString

from psycopg.sql import SQL, Composable, Composed, Placeholder

from api.query_language import ANY, FREE, LIVE, NONE, NUMBERS, NUMERIC, All, Either, Node, Not, Operator, Term

_WORDS: Final[Mapping[str, LiteralString]] = {  # each answers rows with a column v: any of them will do
    FREE: """SELECT coalesce(e.name, '') || ' ' || coalesce(e.long_name, '') || ' ' || coalesce(e.tag, '') || ' '
                    || e.global_id AS v UNION ALL SELECT t.name""",
    "name": "SELECT e.name AS v UNION ALL SELECT e.long_name",
    "tag": "SELECT e.tag AS v",
    "id": "SELECT e.global_id AS v UNION ALL SELECT e.id::text",
    "description": "SELECT e.description AS v UNION ALL SELECT e.object_type",
    "class": "SELECT c.ancestor AS v FROM ifc_class c WHERE c.name = e.ifc_class UNION ALL SELECT e.ifc_class",
    "is": "SELECT e.ifc_class AS v",
    "type": "SELECT t.name AS v UNION ALL SELECT t.global_id",
    "predefined": "SELECT e.predefined_type AS v",
    "storey": "SELECT s.name AS v FROM storey s WHERE s.id = e.storey_id",
    "space": "SELECT x.v FROM element r, LATERAL (VALUES (r.name), (r.long_name), (r.global_id)) x (v) "
    "WHERE r.id = e.space_id",
    "system": """SELECT x.v FROM element_group_member k JOIN element_group g ON g.id = k.group_id,
                 LATERAL (VALUES (g.name), (g.long_name), (g.predefined_type), (g.global_id), (g.id::text)) x (v)
                 WHERE k.element_id = e.id AND g.ifc_class <> 'IfcZone'""",
    "zone": """SELECT x.v FROM element_group_member k JOIN element_group g ON g.id = k.group_id,
               LATERAL (VALUES (g.name), (g.long_name), (g.global_id)) x (v)
               WHERE k.element_id IN (e.id, e.space_id) AND g.ifc_class = 'IfcZone'""",
    "material": """SELECT x.v #>> '{}' AS v FROM jsonb_path_query(
                   jsonb_build_array(e.materials, t.materials), '$.** ? (@.type() == "string")') x (v)""",
    "classification": """SELECT x.v #>> '{}' AS v FROM jsonb_path_query(
                         jsonb_build_array(e.classifications, t.classifications),
                         '$.** ? (@.type() == "string")') x (v)""",
    "document": """SELECT x.v #>> '{}' AS v FROM jsonb_path_query(
                   jsonb_build_array(e.documents, t.documents), '$.** ? (@.type() == "string")') x (v)""",
    "model": "SELECT m.name AS v",
    "discipline": "SELECT m.discipline AS v",
    "point": """SELECT x.v FROM point p, LATERAL (VALUES (p.key), (p.name), (p.quantity), (p.brick_class)) x (v)
                WHERE p.element_id = e.id AND p.retired_at IS NULL""",
}
GROUPS: Final[Mapping[str, LiteralString]] = {  # what a tree is grouped by: rows with a column v, each a branch
    "class": "SELECT e.ifc_class AS v",
    "type": "SELECT t.name AS v",
    "system": """SELECT coalesce(g.name, g.long_name) AS v FROM element_group_member k
                 JOIN element_group g ON g.id = k.group_id WHERE k.element_id = e.id AND g.ifc_class <> 'IfcZone'""",
    "zone": """SELECT coalesce(g.name, g.long_name) AS v FROM element_group_member k
               JOIN element_group g ON g.id = k.group_id
               WHERE k.element_id IN (e.id, e.space_id) AND g.ifc_class = 'IfcZone'""",
    "space": "SELECT coalesce(ro.name, ro.long_name) AS v",
    "discipline": "SELECT m.discipline AS v",
    "model": "SELECT m.name AS v",
}
_CLASS: Final = SQL("""
    (e.ifc_class ILIKE ANY ({names})
     OR e.ifc_class IN (SELECT c.name FROM ifc_class c WHERE c.ancestor ILIKE ANY ({names})))
""")
_HAS: Final[Mapping[str, LiteralString]] = {
    "alarm": "EXISTS (SELECT FROM alarm a WHERE (a.element_id = e.id OR a.space_id = e.id) AND a.closed_at IS NULL)",
    "order": """EXISTS (SELECT FROM work_order w WHERE (w.element_id = e.id OR w.space_id = e.id)
                        AND w.closed_at IS NULL)""",
    "point": "EXISTS (SELECT FROM point p WHERE p.element_id = e.id AND p.retired_at IS NULL)",
    "issue": "EXISTS (SELECT FROM topic i WHERE i.element_id = e.id)",
    "asset": "EXISTS (SELECT FROM asset_binding b WHERE b.element_id = e.id AND b.during @> now())",
    "system": """EXISTS (SELECT FROM element_group_member k JOIN element_group g ON g.id = k.group_id
                         WHERE k.element_id = e.id AND g.ifc_class <> 'IfcZone')""",
    "zone": """EXISTS (SELECT FROM element_group_member k JOIN element_group g ON g.id = k.group_id
                       WHERE k.element_id IN (e.id, e.space_id) AND g.ifc_class = 'IfcZone')""",
    "space": "e.space_id IS NOT NULL",
    "storey": "e.storey_id IS NOT NULL",
    "type": "e.type_id IS NOT NULL",
    "material": "(e.materials <> '[]' OR coalesce(t.materials, '[]') <> '[]')",
    "classification": "(e.classifications <> '[]' OR coalesce(t.classifications, '[]') <> '[]')",
    "document": "(e.documents <> '[]' OR coalesce(t.documents, '[]') <> '[]')",
    "geometry": "e.geometry NOT IN ('none', 'lost')",
}
# A property as the inspector shows it: the users' own value, then the element's, then its type's.
_PROPERTY: Final = SQL("""
    SELECT coalesce(e.own_properties -> {own}, e.psets #> {path}, e.quantities #> {path},
                    t.psets #> {path}, t.quantities #> {path}) AS j
""")
_ANY_SET: Final = SQL("""
    SELECT o.value AS j FROM jsonb_each(e.own_properties) o WHERE o.key = {name} OR o.key LIKE {tail}
    UNION ALL SELECT s.value #> ARRAY[{name}, 'value']
    FROM (VALUES (e.psets), (e.quantities), (t.psets), (t.quantities)) d (j), jsonb_each(d.j) s WHERE s.value ? {name}
""")
# Quantities named so, or ending so (NetFloorArea), in the file's units; of rooms the measured floor in m2 as well.
_QUANTITY: Final = SQL("""
    SELECT q.value -> 'value' AS j FROM (VALUES (e.quantities), (t.quantities)) d (j), jsonb_each(d.j) s,
           jsonb_each(CASE jsonb_typeof(s.value) WHEN 'object' THEN s.value ELSE '{{}}' END) q
    WHERE q.key ILIKE {tail}
""")
_ROOM: Final[Mapping[str, LiteralString]] = {
    "area": " UNION ALL SELECT to_jsonb(r.area) FROM space r WHERE r.element_id = e.id",
    "height": " UNION ALL SELECT to_jsonb(r.height) FROM space r WHERE r.element_id = e.id",
    "elevation": " UNION ALL SELECT to_jsonb(r.elevation) FROM storey r WHERE r.id = e.storey_id",
}
# What its points say now; a value of bad quality is none.
_LIVE_VALUE: Final = SQL("""
    SELECT to_jsonb(l.num) AS j FROM point p JOIN latest l ON l.point_id = p.handle
    WHERE p.element_id = e.id AND p.retired_at IS NULL AND l.q < 2
      AND ({like}::text IS NULL OR p.quantity ILIKE {like} OR p.brick_class ILIKE {like} OR p.key ILIKE {like})
""")
# A value that is not there, or says nothing.
_EMPTY: Final = "(j IS NULL OR j IN ('null', '\"\"', '[]', '{}'))"
_COMPARE: Final[Mapping[Operator, LiteralString]] = {"<": "<", "<=": "<=", ">": ">", ">=": ">="}


def condition(node: Node | None) -> tuple[Composable, dict[str, Any]]:
    """The condition of a query and its parameters; of no query, all elements."""
    params: dict[str, Any] = {}
    return (SQL("true") if node is None else _sql(node, params)), params


def property_values(term: Term, params: dict[str, Any]) -> Composable:
    """A query with one column `v`: an element's values of a term's property, as text; no row where it has none."""
    return SQL("SELECT j #>> '{{}}' AS v FROM ({}) found WHERE NOT ").format(_values(term, params)) + SQL(_EMPTY)


def _sql(node: Node, params: dict[str, Any]) -> Composable:
    if isinstance(node, Not):
        return SQL("NOT {}").format(_sql(node.of, params))
    if isinstance(node, All | Either):
        between = SQL(" AND ") if isinstance(node, All) else SQL(" OR ")
        return SQL("({})").format(between.join([_sql(each, params) for each in node.of]))
    return _term(node, params)


def _name(params: dict[str, Any], value: Any) -> Placeholder:
    """A parameter of its own for a value."""
    name = f"v{len(params)}"
    params[name] = value
    return Placeholder(name)


def _term(term: Term, params: dict[str, Any]) -> Composable:
    if term.key == "has":
        any_of: Composable = SQL(" OR ").join([SQL(_HAS[value.lower()]) for value in term.values])
        return SQL("NOT ({})" if term.op == "!=" else "({})").format(any_of)
    if term.path is None and term.key not in NUMBERS and not term.key.startswith(LIVE):
        return _words(term, params)
    values = _values(term, params)
    if term.op in NUMERIC:
        compared = SQL(
            "CASE jsonb_typeof(j) WHEN 'number' THEN (j #>> '{{}}')::numeric {op} {n} ELSE false END"
        ).format(op=SQL(_COMPARE[term.op]), n=_name(params, term.number))
        return SQL("EXISTS (SELECT FROM ({}) found WHERE {})").format(values, compared)
    there = SQL("EXISTS (SELECT FROM ({}) found WHERE NOT ").format(values) + SQL(_EMPTY) + SQL(")")
    if term.op == "~":
        held: Composable = SQL("j #>> '{{}}' ILIKE ANY ({})").format(
            _name(params, [f"%{escaped(each)}%" for each in term.values])
        )
        return SQL("EXISTS (SELECT FROM ({}) found WHERE {})").format(values, held)
    parts: list[Composable] = []
    plain = [each for each in term.values if each.lower() not in (NONE, ANY)]
    if any(each.lower() == NONE for each in term.values):
        parts.append(SQL("NOT {}").format(there))
    if any(each.lower() == ANY for each in term.values):
        parts.append(there)
    if plain:
        parts.append(SQL("EXISTS (SELECT FROM ({}) found WHERE {})").format(values, _equal(plain, params)))
    return SQL("NOT ({})" if term.op == "!=" else "({})").format(SQL(" OR ").join(parts))


def _equal(plain: list[str], params: dict[str, Any]) -> Composable:
    """The value `j` is one of these: as text in any case (`*` for anything), as a number, as true or false."""
    texts = _name(params, [pattern(each) for each in plain])
    numbers = _name(params, [each for each in plain if _is_number(each)])
    return SQL(
        "(CASE jsonb_typeof(j) WHEN 'number' THEN (j #>> '{{}}')::numeric = ANY ({numbers}::numeric[]) ELSE false END"
        " OR j #>> '{{}}' ILIKE ANY ({texts}))"
    ).format(numbers=numbers, texts=texts)


def _is_number(text: str) -> bool:
    digits = text.lstrip("+-").replace(".", "", 1)
    return digits.isascii() and digits.isdecimal() and len(text) <= 40 and text.count("-") + text.count("+") <= 1


def _values(term: Term, params: dict[str, Any]) -> Composed:
    """A query with one column `j`: what the element has under the term's key."""
    if term.key.startswith(LIVE):
        _, _, what = term.key.partition(".")
        return _LIVE_VALUE.format(like=_name(params, f"%{escaped(what)}%" if what else None))
    if term.path is None:
        found = _QUANTITY.format(tail=_name(params, f"%{term.key}"))
        return found + SQL(_ROOM[term.key]) if term.key in _ROOM else found
    pset, name = term.path
    if pset == "*":
        tail = _name(params, f"%.{escaped(name)}")
        return _ANY_SET.format(name=_name(params, name), tail=tail)
    own = _name(params, name if pset == "own" else term.key)
    return _PROPERTY.format(own=own, path=_name(params, [pset, name, "value"]))


def _words(term: Term, params: dict[str, Any]) -> Composable:
    values = SQL("SELECT FROM (") + SQL(_WORDS[term.key]) + SQL(") found (v) WHERE ")
    if term.op == "~":
        like = _name(params, [f"%{escaped(each)}%" for each in term.values])
        return SQL("EXISTS ({}v ILIKE ANY ({}))").format(values, like)
    parts: list[Composable] = []
    plain = [each for each in term.values if each.lower() not in (NONE, ANY)]
    for asked in (NONE, ANY):
        if any(each.lower() == asked for each in term.values):
            there = SQL("EXISTS ({}v <> '')").format(values)
            parts.append(SQL("NOT {}").format(there) if asked == NONE else there)
    if plain:
        parts.append(
            _CLASS.format(names=_name(params, [pattern(each) for name in plain for each in (name, f"Ifc{name}")]))
            if term.key == "class"
            else SQL("EXISTS ({}v ILIKE ANY ({}))").format(values, _name(params, [pattern(each) for each in plain]))
        )
    return SQL("NOT ({})" if term.op == "!=" else "({})").format(SQL(" OR ").join(parts))


def escaped(text: str) -> str:
    """Text that LIKE takes for itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def pattern(text: str) -> str:
    """Text for LIKE in which `*` stands for anything."""
    return escaped(text).replace("*", "%")
