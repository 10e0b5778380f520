"""Is the audit trail what it was? Every entry, the chain between them, and the anchors outside the database.

What is found has a name and the first entry that is bad:

- `deleted`: entries are missing in between (or at the beginning, and no anchor says that they were pruned)
- `edited`: an entry is not what was hashed
- `reordered`: an entry stands in another one's place
- `rewritten`: the chain holds, but an anchored entry had another hash: it was edited and all after it hashed anew
- `cut`: the newest entries are gone, the anchors reach further
- `anchor_edited`, `anchor_cut`, `anchor_missing`: the anchors themselves
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from identity.audit_anchor import Anchor, AnchorFile, read_anchors
from identity.audit_chain import FIELDS, GENESIS, Head, entry_hash, find_head, read_entries
from identity.sealing import Sealer
from twin.db import Database, row, rows

Trouble = Literal["deleted", "edited", "reordered", "rewritten", "cut", "anchor_edited", "anchor_cut", "anchor_missing"]
Progress = Callable[[float], Awaitable[None]]
MOST: Final = 20  # findings; one cause has many effects


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `seq`: the first bad entry; `line`: of the anchors."""

    trouble: Trouble
    seq: int | None
    detail: str
    line: int | None = None


@dataclass(slots=True)
class Verification:
    """What was looked at and what was found."""

    entries: int = 0
    first: int | None = None
    last: int | None = None
    head: str | None = None  # hash of the last one, hex
    unsealed: int = 0
    anchors: int = 0
    anchored: int = 0  # the newest anchored entry
    anchored_at: datetime | None = None
    seconds: float = 0.0
    gaps: int = 0  # only of a file that is a selection
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.findings

    def shown(self) -> dict[str, Any]:
        """As JSON can hold it."""
        values = asdict(self)
        values["anchored_at"] = self.anchored_at and self.anchored_at.isoformat()
        return {"ok": self.ok, **values}

    def add(self, trouble: Trouble, seq: int | None, detail: str, line: int | None = None) -> None:
        if len(self.findings) < MOST:
            self.findings.append(Finding(trouble, seq, detail, line))


class ChainCheck:
    """Goes along entries in the order of seq. `selection`: entries in between may be missing."""

    def __init__(
        self, report: Verification, anchored: Mapping[int, bytes], *, before: Head | None, selection: bool = False
    ) -> None:
        self.report = report
        self._anchored = anchored
        self._good = 0  # the last anchored entry that was right
        self._last = before
        self._selection = selection

    def take(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """The next entries: texts of `FIELDS`, and `previous` and `hash`."""
        for at, entry in enumerate(entries):
            seq = int(entry["seq"])
            self._follow(seq, entry["previous"])
            if entry_hash(entry["previous"], entry) != entry["hash"]:
                self._name(seq, entry, entries[max(0, at - 50) : at + 50])
            elif seq in self._anchored:
                self._compare(seq, entry["hash"])
            self.report.entries += 1
            self.report.first = self.report.first or seq
            self._last = Head(seq, entry["hash"])
        if self._last:
            self.report.last, self.report.head = self._last.seq, self._last.hash.hex()

    def _follow(self, seq: int, previous: bytes) -> None:
        last = self._last
        if last is None:
            return
        if seq > last.seq + 1:
            if self._selection:
                self.report.gaps += 1
            else:
                self.report.add("deleted", last.seq + 1, f"entries {last.seq + 1} to {seq - 1} are missing")
        elif seq <= last.seq:
            self.report.add("reordered", seq, f"entry {seq} stands behind entry {last.seq}")
        elif previous != last.hash:
            self.report.add("reordered", seq, f"entry {seq} does not follow on entry {last.seq} as it is now")

    def _name(self, seq: int, entry: Mapping[str, Any], near: Sequence[Mapping[str, Any]]) -> None:
        """Say whether what was hashed as `seq` is somewhere else, or nowhere."""
        for other in near:
            moved = {**{name: other[name] for name in FIELDS}, "seq": str(seq)}
            if other is not entry and entry_hash(entry["previous"], moved) == entry["hash"]:
                self.report.add("reordered", seq, f"what was entry {seq} stands as entry {other['seq']} now")
                return
        self.report.add("edited", seq, f"entry {seq} is not what was hashed")

    def _compare(self, seq: int, found: bytes) -> None:
        if found == self._anchored[seq]:
            self._good = seq
            return
        first = self._good + 1
        detail = f"the chain was made anew somewhere from entry {first} on: entry {seq} was anchored as another one"
        self.report.add("rewritten", first, detail)
        self._anchored = {}  # everything behind it differs too


async def verify_database(
    db: Database,
    files: Sequence[Path],
    sealer: Sealer,
    *,
    start: int = 1,
    progress: Progress | None = None,
) -> Verification:
    """Check all sealed entries from number `start` on, and the anchors in `files`."""
    began = time.monotonic()
    report = Verification()
    anchors = await _read_files(db, files, sealer, report)
    async with db.connection() as conn:
        head = await find_head(conn)
        waiting = await row(conn, "SELECT count(*) AS n FROM audit WHERE seq IS NULL")
        report.unsealed = waiting["n"] if waiting else 0
    before = await _before(db, start, anchors, report)
    check = ChainCheck(report, _anchored(anchors, start), before=before)
    async for entries in read_entries(db, after=max(start - 1, before.seq), until=head.seq):
        check.take(entries)
        if progress:
            await progress(int(entries[-1]["seq"]) / max(1, head.seq))
    if report.anchored > head.seq:
        report.add(
            "cut",
            head.seq + 1,
            f"entries {head.seq + 1} to {report.anchored} are gone, which were anchored",
        )
    report.seconds = round(time.monotonic() - began, 3)
    return report


def verify_export(
    batches: Iterable[Sequence[Mapping[str, Any]]], anchors: Sequence[AnchorFile] = (), *, selection: bool = False
) -> Verification:
    """Check the entries of an exported file. Without `selection` none may be missing in between."""
    began = time.monotonic()
    report = Verification()
    for each in anchors:
        _note(report, each)
    check = ChainCheck(report, _anchored(anchors, 1), before=None, selection=selection)
    for entries in batches:
        check.take(entries)
    report.seconds = round(time.monotonic() - began, 3)
    return report


async def _read_files(db: Database, files: Sequence[Path], sealer: Sealer, report: Verification) -> list[AnchorFile]:
    """The anchors, compared with what the database remembers of them."""
    found = []
    async with db.connection() as conn:
        known = {each["file"]: each for each in await rows(conn, "SELECT file, place, n, seq FROM audit_anchor")}
    for path in files:
        try:
            anchors = read_anchors(path, sealer)
        except FileNotFoundError:
            continue  # missed below, when there ever was one
        except OSError as error:
            report.add("anchor_missing", None, f"{path}: {error.strerror}")
            continue
        found.append(anchors)
        _note(report, anchors)
        noted = known.pop(anchors.file, None) if anchors.file else None
        if noted and noted["n"] > anchors.ends:
            detail = f"{path} ends with line {anchors.ends} of {noted['n']}"
            report.add("anchor_cut", None, detail, anchors.ends + 1)
    for each in known.values():
        report.add(
            "anchor_missing", None, f"{each['place']}: {each['n']} lines up to entry {each['seq']} are not there"
        )
    return found


def _note(report: Verification, anchors: AnchorFile) -> None:
    report.anchors += len(anchors.anchors)
    if anchors.broken_at:
        report.add(
            "anchor_edited",
            None,
            f"{anchors.path}, line {anchors.broken_at}: changed, removed, or written with another key",
            anchors.broken_at,
        )
    last = anchors.last
    if last and last.seq >= report.anchored:
        report.anchored, report.anchored_at = max(each.seq for each in anchors.anchors), last.at


def _anchored(files: Sequence[AnchorFile], start: int) -> dict[int, bytes]:
    return {each.seq: each.hash for anchors in files for each in anchors.anchors if each.seq >= start and _counts(each)}


def _counts(anchor: Anchor) -> bool:
    return anchor.kind != "begin"


async def _before(db: Database, start: int, anchors: Sequence[AnchorFile], report: Verification) -> Head:
    """What the first entry to be checked has to follow on."""
    async with db.connection() as conn:
        found = await row(conn, "SELECT seq, hash FROM audit WHERE seq < %s ORDER BY seq DESC LIMIT 1", (start,))
        first = await row(conn, "SELECT seq, previous FROM audit WHERE seq IS NOT NULL ORDER BY seq LIMIT 1")
    if found:
        return Head(found["seq"], found["hash"])
    if first is None or first["seq"] == 1:
        return Head(0, GENESIS)
    gone = first["seq"] - 1
    pruned = {each.seq: each.hash for file in anchors for each in file.anchors if each.kind == "pruned"}
    if pruned.get(gone) == first["previous"]:
        return Head(gone, first["previous"])
    report.add("deleted", 1, f"entries 1 to {gone} are missing, and no anchor says that they were pruned")
    return Head(gone, first["previous"])
