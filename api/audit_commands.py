"""`twin audit`: verify the trail or an exported file, export it."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click
import orjson

from identity.actor import CLI
from identity.audit import Filter, record
from identity.audit_anchor import AnchorFile, read_anchors
from identity.audit_chain import find_head, read_entries, seal_all
from identity.audit_export import Format, header, lines, read_export, span
from identity.audit_trail import AuditTrail
from identity.audit_verify import Verification, verify_export
from identity.sealing import key_path, load_sealer
from twin.db import open_database
from twin.errors import Invalid
from twin.jobs import JobContext
from twin.settings import Settings

VERIFY: Final = "audit_verify"  # kind of job


async def verify(settings: Settings, start: int, anchors: tuple[Path, ...]) -> Verification:
    """Check the trail of an installation, with the anchors in its own file and in `anchors`."""
    async with open_database(settings) as db:
        trail = AuditTrail(db, settings, load_sealer(key_path(settings)))
        return await trail.verify(start, others=anchors)


def verify_file(settings: Settings, file: Path, anchors: tuple[Path, ...], *, selection: bool) -> Verification:
    """Check an exported file; anchors are compared where there are any. Needs no database."""
    found: list[AnchorFile] = []
    if anchors:
        key = load_sealer(key_path(settings))
        for path in anchors:
            try:
                found.append(read_anchors(path, key))
            except OSError as error:
                raise Invalid("audit.anchor_file", where=str(path), reason=error.strerror or str(error)) from error
    return verify_export(read_export(file), found, selection=selection)


async def export(settings: Settings, form: Format, start: datetime | None, end: datetime | None) -> int:
    """Write the trail to stdout; returns how many entries. That it was exported is an entry too."""
    count = 0
    async with open_database(settings) as db:
        async with db.transaction() as conn:
            after = {"format": form, "from": start, "to": end}
            await record(conn, CLI, "audit.export", after={name: value for name, value in after.items() if value})
        async with db.connection() as conn:
            await seal_all(conn)
            head = await find_head(conn)
            first, last = await span(conn, Filter(start=start, end=end), head.seq)
        out = sys.stdout
        out.write(header(form))
        async for entries in read_entries(db, after=first - 1, until=last):
            out.write(lines(form, entries))
            count += len(entries)
        out.flush()
    return count


def tell(report: Verification, *, as_json: bool) -> None:
    """Print what was found, and exit with 0 or 1."""
    if as_json:
        click.echo(orjson.dumps(report.shown()).decode())
    else:
        stretch = f"{report.first} to {report.last}" if report.entries else "none"
        click.echo(f"{report.entries} entries ({stretch}) in {report.seconds:.1f} s, {report.unsealed} not sealed yet")
        if report.head:
            click.echo(f"head {report.head}")
        anchored = f"the last one of {report.anchored_at:%Y-%m-%d %H:%M} UTC" if report.anchored_at else "none"
        click.echo(f"{report.anchors} anchors, {anchored}, up to entry {report.anchored}")
        for finding in report.findings:
            click.echo(f"twin: {finding.trouble}: {finding.detail}", err=True)
        click.echo("intact" if report.ok else "NOT intact")
    sys.exit(0 if report.ok else 1)


async def verify_job(job: JobContext, trail: AuditTrail) -> dict[str, Any]:
    """The job behind POST /audit/verify; its result is the report."""
    report = await trail.verify(progress=lambda share: job.report("verify", share))
    return report.shown()
