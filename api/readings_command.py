"""`twin readings import`: a file of readings into a building, with a bar on a terminal; broken off, it goes on."""

import asyncio
from pathlib import Path
from typing import Any

import click
import orjson

from api.import_command import watch
from api.reading_files import TABLE, Order, find_unfinished, resume
from identity.actor import CLI
from twin import jobs, places
from twin.errors import Invalid
from twin.settings import Settings


async def import_readings(
    settings: Settings, file: Path, building: str, mapping: str | None, source: str | None, *, as_json: bool
) -> None:
    """Import a file and print what came of it; one that was broken off goes on. Raises NotFound, Invalid `table.…`."""
    from api.app import open_twin  # the application needs this module's neighbours

    async with open_twin(settings, serving=False) as twin:
        async with twin.db.connection() as conn:
            place = await places.get_building(conn, building)
        try:
            blob = await asyncio.to_thread(twin.blobs.put_file, file, TABLE)
            given = None if mapping is None else orjson.loads(mapping)
        except OSError as error:
            raise Invalid("import.unreadable", where=str(file), reason=error.strerror) from error
        except orjson.JSONDecodeError as error:
            raise Invalid("table.mapping", where="--mapping", reason=str(error)[:200]) from None
        settled = await twin.reading_files.complete(place.id, twin.blobs.path(blob.hash), file.name, given)
        order = Order(building=place.id, file_name=file.name, mapping=settled, source=source)
        async with twin.db.transaction() as conn:
            begun = await find_unfinished(conn, order, blob)
            if begun is None:
                job_id = await twin.reading_files.ask(conn, order, blob, CLI)
            else:
                job_id = begun.id
                click.echo(f"{file.name} was broken off: it goes on where it was.", err=True)
                if begun.is_over:
                    await resume(conn, job_id)
        worker = asyncio.create_task(jobs.run_worker(twin.db, twin.handlers(), settings=settings))
        try:
            _print(await watch(twin.db, job_id, file.name), as_json=as_json)
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)


def _print(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps(report).decode())
        return
    click.echo(
        f"{report['lines']} lines: {report['accepted']} readings stored, {report['duplicate']} were there, "
        f"{report['rejected']} refused, {report['empty']} empty"
    )
    for each in report["problems"][:20]:
        click.echo(f"  row {each['row']}: {each['message']} [{each['code']}]", err=True)
