"""The command line `twin`. Exit codes: 0 done, 1 the input or the state does not allow it, 2 usage."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import click
import orjson
from pydantic import ValidationError

from twin.errors import TwinError
from twin.logs import configure_logs
from twin.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


def common(command: Command) -> Command:
    """Every command takes --data and --database."""
    data = click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the installation.")
    database = click.option("--database", help="URL of your own PostgreSQL or TimescaleDB instead of the embedded one.")
    return data(database(command))


def settings_of(**options: Any) -> Settings:
    """Settings from the environment, with the options that were given laid over them."""
    given = {name: value for name, value in options.items() if value is not None}
    if "data" in given:
        given["data"] = given["data"].resolve()
    try:
        settings = Settings(**given)
    except ValidationError as error:
        wrong = [f"TWIN_{'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in error.errors()]
        raise click.UsageError("; ".join(wrong)) from None
    configure_logs(settings)
    return settings


def run(work: Coroutine[Any, Any, Any], *, as_json: bool = False) -> Any:
    """Run a command's coroutine; one of our errors ends it with exit code 1 and a text that says what to do."""
    try:
        return asyncio.run(work)
    except TwinError as error:
        fail(error, as_json=as_json)
    except KeyboardInterrupt:
        sys.exit(130)


def fail(error: TwinError, *, as_json: bool) -> None:
    """Print an error and exit with 1."""
    if as_json:
        body = {"error": {"code": error.code, "message": error.text("en"), "where": error.where}}
        click.echo(json.dumps(body, ensure_ascii=False))
    else:
        where = f" ({error.where})" if error.where else ""
        click.echo(f"twin: {error.text('en')}{where} [{error.code}]", err=True)
    sys.exit(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "TWIN"})
@click.version_option(package_name="bim-twin", prog_name="twin")
def main() -> None:
    """A BIM-centred digital twin operations server."""


@main.command()
@common
@click.option("--host", help="Address to listen on (default 127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (default 8000).")
def serve(**options: Any) -> None:
    """Run the server."""
    from api.serve import serve_forever

    run(serve_forever(settings_of(**options)))


@main.command()
@common
@click.option("--host", help="Address to listen on (default 127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (default 8000).")
@click.option("--ifc", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Your own model.")
def demo(ifc: Path | None, **options: Any) -> None:
    """Run the server with a sample building, simulated telemetry, alarms and work orders."""
    from api.demo import demo_forever

    if options["data"] is None:
        options["data"] = Settings().data.with_name("twin-demo")
    run(demo_forever(settings_of(**options), ifc))


@main.command()
@common
def worker(**options: Any) -> None:
    """Run a job worker without the server."""
    from api.serve import work_forever

    run(work_forever(settings_of(**options)))


@main.command("import")
@common
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE…")
@click.option("--building", required=True, help="Building, made when there is none of that name.")
@click.option("--model", help="Name of the model; the same name means a new version (default: the file's stem).")
@click.option("--discipline", default="arc", show_default=True, help="arc, str, mep, …")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per file.")
def import_(
    files: tuple[Path, ...], building: str, model: str | None, discipline: str, as_json: bool, **options: Any
) -> None:
    """Import IFC files into a building and wait for it."""
    from api.import_command import import_files

    if model is not None and len(files) > 1:
        raise click.UsageError("--model names one model: give one file with it.")
    run(import_files(settings_of(**options), files, building, model, discipline, as_json=as_json), as_json=as_json)


@main.group()
def readings() -> None:
    """Bring readings in."""


@readings.command("import")
@common
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--building", required=True, help="Building whose points are meant: id or name.")
@click.option("--mapping", help="JSON: which column is what (docs/telemetry.md; default: guessed).")
@click.option("--source", help="What the readings come from (default: the file's name).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def import_readings(
    file: Path, building: str, mapping: str | None, source: str | None, as_json: bool, **options: Any
) -> None:
    """Import readings from a CSV or Parquet file and wait for it."""
    from api.readings_command import import_readings as command

    run(command(settings_of(**options), file, building, mapping, source, as_json=as_json), as_json=as_json)


@main.command()
@common
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--ids", type=click.Path(dir_okay=False, path_type=Path), help="Check against an IDS document too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--strict", is_flag=True, help="End with 1 when a finding is an error or the IDS document fails.")
def check(file: Path, ids: Path | None, as_json: bool, strict: bool, **options: Any) -> None:
    """Validate an IFC file without importing it."""
    from api.checking import check_and_print

    run(check_and_print(settings_of(**options), file, ids=ids, as_json=as_json, strict=strict), as_json=as_json)


@main.group()
def export() -> None:
    """Write models, issues and element lists to files."""


OUT = click.Path(dir_okay=False, path_type=Path)


@export.command("ifc")
@common
@click.argument("model")
@click.argument("out", type=OUT, metavar="OUT.ifc")
@click.option("--building", required=True, help="Building of the model.")
@click.option("--version", type=int, help="Version (default: the shown one).")
def export_ifc(model: str, out: Path, building: str, version: int | None, **options: Any) -> None:
    """Write MODEL's original file with our properties, points, assets and documents added."""
    from api import export_commands as commands

    commands.tell(run(commands.export_model(settings_of(**options), building, model, version, "ifc", out)))


@export.command("cobie")
@common
@click.argument("model")
@click.argument("out", type=OUT, metavar="OUT.xlsx|.ods|.zip")
@click.option("--building", required=True, help="Building of the model.")
@click.option("--version", type=int, help="Version (default: the shown one).")
def export_cobie(model: str, out: Path, building: str, version: int | None, **options: Any) -> None:
    """Write a COBie workbook of MODEL; .zip holds one CSV per sheet."""
    from api import export_commands as commands

    kind = {".ods": "cobie.ods", ".zip": "cobie.csv"}.get(out.suffix.lower(), "cobie.xlsx")
    commands.tell(run(commands.export_model(settings_of(**options), building, model, version, kind, out)))


@export.command("bcf")
@common
@click.argument("out", type=OUT, metavar="OUT.bcf")
@click.option("--building", required=True, help="Building whose issues are written.")
@click.option("--bcf-version", type=click.Choice(["2.1", "3.0"]), default="3.0", show_default=True)
def export_bcf(out: Path, building: str, bcf_version: str, **options: Any) -> None:
    """Write the issues of a building as BCF."""
    from api import export_commands as commands

    commands.tell(run(commands.export_issues(settings_of(**options), building, bcf_version, out)))


@export.command("elements")
@common
@click.argument("out", type=OUT, metavar="OUT.csv|.xlsx")
@click.option("--building", required=True, help="Building whose elements are listed.")
@click.option("--columns", help="Names, comma-separated; Pset.Name for any property.")
@click.option("--class", "ifc_class", help="IFC class, subclasses included.")
@click.option("--property", "property", help="Pset.Name:value")
@click.option("--search", "q", help="Part of a name, tag or GlobalId.")
def export_elements(
    out: Path,
    building: str,
    columns: str | None,
    ifc_class: str | None,
    property: str | None,
    q: str | None,
    **options: Any,
) -> None:
    """List the elements of a building."""
    from api import export_commands as commands

    filters = {"ifc_class": ifc_class, "property": property, "q": q}
    commands.tell(run(commands.export_elements(settings_of(**options), building, columns, filters, out)))


@main.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path), metavar="OUT.ifc")
@click.option("--storeys", type=click.IntRange(1, 200), default=12, show_default=True, help="Storeys above ground.")
@click.option("--rooms", type=click.IntRange(1, 20_000), help="Number of rooms to aim at.")
@click.option("--seed", type=int, default=1, show_default=True)
def sample(out: Path, storeys: int, rooms: int | None, seed: int) -> None:
    """Write a realistic sample building."""
    from ifc_models.sample import write_sample

    try:
        summary = write_sample(out, storeys=storeys, rooms=rooms, seed=seed)
    except ValueError as error:  # --rooms says how many storeys there are; without it one is not enough
        raise click.UsageError(str(error)) from error
    click.echo(
        f"{out}: {summary.storeys} storeys, {summary.rooms} rooms, {summary.elements} elements, "
        f"{summary.points} points, {summary.bytes / 1e6:.1f} MB"
    )


@main.group()
def account() -> None:
    """Accounts that sign in."""


def password_option(command: Command) -> Command:
    """--password-stdin, for scripts; otherwise the password is asked for."""
    return click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")(command)


def asked_password(password_stdin: bool) -> str:
    """The password, from standard input or asked for twice."""
    if password_stdin:
        return sys.stdin.readline().rstrip("\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


@account.command("add")
@common
@click.argument("name")
@click.option("--role", required=True, multiple=True, help="May be given several times.")
@password_option
@click.option("--must-change", is_flag=True, help="The password has to be changed at the first sign-in.")
def account_add(name: str, role: tuple[str, ...], password_stdin: bool, must_change: bool, **options: Any) -> None:
    """Make an account."""
    from api.account_admin import add_account

    run(add_account(settings_of(**options), name, role, asked_password(password_stdin), must_change=must_change))
    click.echo(f"account {name} made")


@account.command("list")
@common
def account_list(**options: Any) -> None:
    """List the accounts: name, roles, and whether disabled, locked, with a second factor."""
    from api.account_admin import account_lines

    for line in run(account_lines(settings_of(**options))):
        click.echo(line)


@account.command("disable")
@common
@click.argument("name")
def account_disable(name: str, **options: Any) -> None:
    """Disable an account; its sessions end."""
    from api.account_admin import disable_account

    run(disable_account(settings_of(**options), name, disabled=True))
    click.echo(f"account {name} disabled")


@account.command("enable")
@common
@click.argument("name")
def account_enable(name: str, **options: Any) -> None:
    """Enable an account again."""
    from api.account_admin import disable_account

    run(disable_account(settings_of(**options), name, disabled=False))
    click.echo(f"account {name} enabled")


@account.command("password")
@common
@click.argument("name")
@password_option
@click.option("--keep", is_flag=True, help="The new password need not be changed at the next sign-in.")
def account_password(name: str, password_stdin: bool, keep: bool, **options: Any) -> None:
    """Set the password of an account; its sessions end."""
    from api.account_admin import set_password

    run(set_password(settings_of(**options), name, asked_password(password_stdin), must_change=not keep))
    click.echo(f"password of {name} set")


@account.command("unlock")
@common
@click.argument("name")
def account_unlock(name: str, **options: Any) -> None:
    """Forget the wrong passwords and codes of an account."""
    from api.account_admin import unlock_account

    run(unlock_account(settings_of(**options), name))
    click.echo(f"account {name} unlocked")


@account.command("reset-second-factor")
@common
@click.argument("name", required=False)
@click.option("--all", "everyone", is_flag=True, help="Of all accounts: the installation's key is lost.")
def account_reset_second_factor(name: str | None, everyone: bool, **options: Any) -> None:
    """Take the second factor away from who has lost it."""
    from api.account_admin import reset_all_second_factors, reset_second_factor

    if (name is None) != everyone:
        raise click.UsageError("give one NAME, or --all")
    if name is None:
        click.echo(f"{run(reset_all_second_factors(settings_of(**options)))} second factors taken away")
        return
    run(reset_second_factor(settings_of(**options), name))
    click.echo(f"second factor of {name} taken away")


@main.group()
def key() -> None:
    """API keys for other programs."""


@key.command("add")
@common
@click.argument("name")
@click.option("--role", default="administrator", show_default=True)
@click.option(
    "--scope", "scopes", multiple=True, help="A permission; only those named here. May be given several times."
)
@click.option("--building", "buildings", multiple=True, help="Id or name; only there. May be given several times.")
@click.option("--network", "networks", multiple=True, help="Address or network it may call from; several times.")
@click.option("--expires", metavar="TIME", help="2027-12-31 (that day included), an ISO 8601 time, or 90d.")
def key_add(
    name: str,
    role: str,
    scopes: tuple[str, ...],
    buildings: tuple[str, ...],
    networks: tuple[str, ...],
    expires: str | None,
    **options: Any,
) -> None:
    """Make an API key and print it, once."""
    from api.key_admin import add_key

    settings = settings_of(**options)
    click.echo(
        run(add_key(settings, name, role, scopes=scopes, buildings=buildings, networks=networks, expires=expires))
    )


@key.command("list")
@common
def key_list(**options: Any) -> None:
    """List the keys that are not revoked: id, name, roles, end, last use."""
    from api.key_admin import key_lines

    for line in run(key_lines(settings_of(**options))):
        click.echo(line)


@key.command("revoke")
@common
@click.argument("key", metavar="NAME|ID")
def key_revoke(key: str, **options: Any) -> None:
    """End a key for good."""
    from api.key_admin import revoke_key

    click.echo(f"key {run(revoke_key(settings_of(**options), key))} revoked")


@key.command("rotate")
@common
@click.argument("key", metavar="NAME|ID")
@click.option(
    "--overlap",
    type=click.FloatRange(0, 720),
    default=24,
    show_default=True,
    metavar="HOURS",
    help="How long the old secret works on.",
)
def key_rotate(key: str, overlap: float, **options: Any) -> None:
    """Give a key a new secret and print it, once."""
    from api.key_admin import rotate_key

    click.echo(run(rotate_key(settings_of(**options), key, overlap)))


@main.group()
def audit() -> None:
    """The audit trail: is it what it was?"""


@audit.command("verify")
@common
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "start", type=click.IntRange(1), default=1, help="Number of the first entry.")
@click.option(
    "--anchors",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A further file of anchors, of another server or an older one. May be given several times.",
)
@click.option("--selection", is_flag=True, help="FILE was exported with a filter: entries in between may be missing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def audit_verify(
    file: Path | None, start: int, anchors: tuple[Path, ...], selection: bool, as_json: bool, **options: Any
) -> None:
    """Check the chain and its anchors, or an exported FILE on its own. Exit code 1 when something is wrong."""
    from api import audit_commands

    settings = settings_of(**options)
    if file is None:
        report = run(audit_commands.verify(settings, start, anchors), as_json=as_json)
    else:
        try:
            report = audit_commands.verify_file(settings, file, anchors, selection=selection)
        except TwinError as error:
            fail(error, as_json=as_json)
    audit_commands.tell(report, as_json=as_json)


@audit.command("export")
@common
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="jsonl", show_default=True)
@click.option("--from", "start", help="RFC 3339 time or date (UTC); the beginning unless given.")
@click.option("--to", "end", help="The same, excluded.")
def audit_export(form: Literal["csv", "jsonl"], start: str | None, end: str | None, **options: Any) -> None:
    """Write the trail to standard output; `twin audit verify FILE` checks such a file."""
    from api import audit_commands

    run(audit_commands.export(settings_of(**options), form, moment(start), moment(end)))


def moment(text: str | None) -> datetime | None:
    """A time from the command line; without a zone it is UTC."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{text} is no time: 2026-05-04 or 2026-05-04T08:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@main.command()
@common
def doctor(**options: Any) -> None:
    """Check the installation and say what is missing and how to fix it."""
    from api.administration import diagnose

    findings = run(diagnose(settings_of(**options)))
    for finding in findings:
        click.echo(
            f"{'ok ' if finding.ok else 'FIX'}  {finding.what}" + ("" if finding.ok else f"\n     {finding.fix}")
        )
    sys.exit(0 if all(finding.ok for finding in findings) else 1)


def print_json(value: Any) -> None:
    """Print one JSON object on one line."""
    click.echo(orjson.dumps(value, default=str).decode())
