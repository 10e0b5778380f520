"""An exported trail can be checked without the server, and opened in a spreadsheet without running anything."""

import csv
import io
import json
from pathlib import Path

import pytest

from identity import audit
from identity.actor import Actor
from identity.audit import Filter
from identity.audit_anchor import read_anchors
from identity.audit_chain import find_head, read_entries
from identity.audit_export import Format, header, lines, read_export, span
from identity.audit_trail import AuditTrail
from identity.audit_verify import verify_export
from identity.sealing import Sealer
from twin.db import Database
from twin.errors import Invalid
from twin.settings import Settings

KEY = Sealer(b"k" * 32)
NASTY = ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "'quoted", 'a "b", c', "two\r\nlines", "多少", "\u2028", "-")


async def exported(db: Database, form: Format, wanted: Filter | None = None) -> str:
    async with db.connection() as conn:
        first, last = await span(conn, wanted or Filter(), (await find_head(conn)).seq)
    entries = read_entries(db, after=first - 1, until=last, wanted=wanted, batch=3)
    return header(form) + "".join([lines(form, batch) async for batch in entries])


@pytest.fixture
async def trail(db: Database, settings: Settings) -> AuditTrail:
    """A sealed and anchored entry for each nasty text, in every place where a caller's text may stand."""
    trail = AuditTrail(db, settings, KEY)
    async with db.transaction() as conn:
        for text in NASTY:
            who = Actor(f"account:{text}" if text[0].isalpha() else text, address="::1")
            await audit.record(conn, who, "point.update", text, before={"name": text}, after={"n": 1e-7, text: 2.50})
    await trail.sealer.seal()
    await trail.anchor()
    return trail


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_an_export_can_be_verified_on_its_own(
    db: Database, trail: AuditTrail, tmp_path: Path, form: Format
) -> None:
    file = tmp_path / f"audit.{form}"
    file.write_text(await exported(db, form), newline="")
    anchors = read_anchors(trail.anchors, KEY)
    report = verify_export(read_export(file), [anchors])
    assert report.ok and (report.entries, report.first, report.last) == (len(NASTY), 1, len(NASTY))

    text = file.read_bytes().decode()
    file.write_text(text.replace("point.update", "point.delete", 1), newline="")
    assert [(each.trouble, each.seq) for each in verify_export(read_export(file)).findings] == [("edited", 1)]

    kept = [line for line in text.splitlines(keepends=True) if not line.startswith(('{"seq":3,', "3,"))]
    file.write_text("".join(kept), newline="")
    assert [(each.trouble, each.seq) for each in verify_export(read_export(file)).findings] == [("deleted", 3)]
    report = verify_export(read_export(file), selection=True)
    assert report.ok and report.gaps == 1


async def test_a_spreadsheet_finds_nothing_to_run_in_the_csv(db: Database, trail: AuditTrail) -> None:
    table = list(csv.reader(io.StringIO((await exported(db, "csv")).lstrip("\ufeff"), newline="")))
    assert {len(cells) for cells in table} == {len(table[0])} and len(table) == len(NASTY) + 1
    for cells in table[1:]:
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]


async def test_before_and_after_are_exported_as_the_text_that_was_hashed(db: Database, trail: AuditTrail) -> None:
    first = json.loads((await exported(db, "jsonl")).splitlines()[0])
    assert first["after"] == '{"=1+1":2.5,"n":1e-07}'
    assert json.loads(first["after"]) == {"=1+1": 2.5, "n": 1e-7}


async def test_a_selection_carries_what_each_entry_needs(db: Database, trail: AuditTrail, tmp_path: Path) -> None:
    file = tmp_path / "some.jsonl"
    file.write_text(await exported(db, "jsonl", Filter(text="多少")), newline="")
    report = verify_export(read_export(file), selection=True)
    assert report.ok and report.entries == 1
    assert await exported(db, "jsonl", Filter(actor="nobody")) == ""


@pytest.mark.parametrize(
    "content", ["", "seq,id\r\n1,2\r\n", "{}\n", '{"seq":1}\n', "[1]\n", '{"seq":', "\x00\xff", "a" * 1000]
)
def test_a_file_that_is_no_export_is_refused_with_a_reason(tmp_path: Path, content: str) -> None:
    file = tmp_path / "audit.jsonl"
    file.write_text(content, encoding="latin-1")
    with pytest.raises(Invalid) as error:
        verify_export(read_export(file))
    assert error.value.code == "audit.export_file"
