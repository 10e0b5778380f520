"""`twin demo`: a building that lives, from nothing. Sample or own model, history, live values, rules, plans, orders.

Everything goes through the same doors as in operation: an import job, points, ingest, rules, plans. What is there
already (a second start) stays as it is; only the simulator speaks again.
"""

import asyncio
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import click

from api.app import Twin
from api.consumption import consumption, mains_and_leaves
from api.importing import IFC, ask_for_import
from api.quotas import set_quota
from api.serve import serve_forever
from identity import accounts
from identity.actor import SYSTEM
from maintenance import orders, plans, rules
from maintenance.orders import OrderInput
from maintenance.plans import PlanInput
from maintenance.rules import RuleInput
from telemetry import seeding
from telemetry.consumption import MEDIA, list_meters
from telemetry.simulate import Simulator
from twin import assets, jobs, places
from twin.db import Conn, row, rows
from twin.errors import Invalid
from twin.places import Building
from twin.settings import Settings

ACCOUNT: Final = "demo"
CREW_ACCOUNT: Final = "li.ming"
LOGIN_FILE: Final = "demo-login"
BUILDING: Final = "滨江花园 1 号楼 Riverside Tower"
HISTORY: Final = timedelta(days=3)
STEP: Final = timedelta(minutes=5)
METER_STEP: Final = timedelta(hours=3)
MOST_MAINS: Final = 12
STOREYS: Final = 12


@dataclass(frozen=True, slots=True)
class Watch:
    """A rule for every point of one simulated behaviour; `most` limits how many points get it."""

    sim: str
    name: str
    rule: RuleInput
    most: int = 1000


def _watch(sim: str, name: str, kind: str, limit: float, severity: str, *, most: int = 1000, **more: object) -> Watch:
    return Watch(sim, name, RuleInput(name=name, kind=kind, limit=limit, severity=severity, **more), most)  # type: ignore[arg-type]


WATCHES: Final[Sequence[Watch]] = (
    _watch("room_temperature", "室温过高 Room too warm", "high", 31, "medium", deadband=1, on_delay=60),
    _watch("room_temperature", "室温过低 Room too cold", "low", 12, "medium", deadband=1, on_delay=300),
    _watch("room_co2", "二氧化碳偏高 CO₂ high", "high", 1400, "low", deadband=100, on_delay=300),
    _watch("garage_co", "车库一氧化碳超标 Garage CO high", "high", 60, "high", deadband=10, on_delay=30,
           work_order=True, crew="crew"),
    _watch("fault", "设备故障 Equipment fault", "high", 0.5, "high", on_delay=5, work_order=True, crew="crew"),
    _watch("water_leak", "漏水 Water leak", "high", 0.5, "high", on_delay=2, work_order=True, crew="crew"),
    _watch("smoke", "烟雾报警 Smoke", "high", 0.5, "critical"),
    _watch("manual_alarm", "手动报警 Manual call point", "high", 0.5, "critical"),
    _watch("tank_level", "水箱水位低 Tank level low", "low", 0.6, "high", deadband=0.1, on_delay=60),
    _watch("transformer_temperature", "变压器过热 Transformer hot", "high", 95, "high", deadband=5, on_delay=60),
)  # fmt: skip
PLANS: Final[Sequence[tuple[str, str, str, Sequence[str]]]] = (
    ("IfcPump", "水泵月度保养 Monthly pump service", "FREQ=MONTHLY;BYMONTHDAY={soon}",
     ("检查轴封渗漏 Check shaft seal", "听诊轴承声响 Listen to bearings", "记录电流 Note motor current")),
    ("IfcTransportElement", "电梯半月维保 Fortnightly lift maintenance", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU",
     ("检查层门联锁 Check landing door locks", "检查对讲 Check intercom", "清洁井道底坑 Clean the pit")),
    ("IfcUnitaryEquipment", "空调机组季度清洗 Quarterly AHU cleaning", "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=10",
     ("更换滤网 Change filters", "清洗盘管 Clean coils", "检查皮带 Check belts")),
)  # fmt: skip
ASSET_CLASSES: Final = (
    "IfcPump", "IfcFan", "IfcUnitaryEquipment", "IfcTransportElement", "IfcElectricDistributionBoard", "IfcTransformer",
    "IfcTank", "IfcBoiler", "IfcChiller",
)  # fmt: skip


async def demo_forever(settings: Settings, ifc: Path | None) -> None:
    """Serve the demo until interrupted."""
    demo = _Demo(settings, ifc)
    await serve_forever(settings, opened=demo.make_login, started=demo.run)


class _Demo:
    def __init__(self, settings: Settings, ifc: Path | None) -> None:
        self._settings, self._ifc = settings, ifc
        self._password = ""

    async def make_login(self, twin: Twin, _: str) -> None:
        """Make the demo's accounts, or find their password again in the private data folder."""
        file = self._settings.data / LOGIN_FILE
        async with twin.db.transaction() as conn:
            if await accounts.find_account(conn, ACCOUNT) is None:
                self._password = "-".join(secrets.token_hex(2) for _ in range(4))
                await accounts.create_account(conn, ACCOUNT, self._password, ["administrator"], display_name="Demo")
                await accounts.create_account(conn, CREW_ACCOUNT, self._password, ["crew"], display_name="李明 Li Ming")
                file.touch(mode=0o600)
                file.write_text(self._password)
            elif file.exists():
                self._password = file.read_text()

    async def run(self, twin: Twin, address: str) -> None:
        """Fill the building, say where it is, and let the simulator speak."""
        building = await self._building(twin)
        simulator = Simulator(twin.ingest, twin.db, building.id)
        points = await simulator.load()
        async with twin.db.connection() as conn:
            fresh = await row(conn, "SELECT 1 FROM alarm_rule WHERE building_id = %s LIMIT 1", (building.id,)) is None
        now = datetime.now(UTC)
        if fresh:
            click.echo(f"Three days of history for {points} points …")
            await twin.history.ensure_months(now - HISTORY, now)
            await simulator.backfill(now - HISTORY, now, STEP)
            await _meters_since_last_year(twin, simulator, building, now)
            async with twin.db.transaction() as conn:
                await _furnish(conn, building, now)
        simulator.show_faults(datetime.now(UTC).timestamp())
        twin.commands.targets.append(simulator)
        self._say(address)
        await simulator.run()

    async def _building(self, twin: Twin) -> Building:
        """Return the demo's building, imported when it is not there yet."""
        name = self._ifc.stem if self._ifc else BUILDING
        async with twin.db.connection() as conn:
            building = await places.find_building(conn, name)
            shown = building and await row(
                conn, "SELECT 1 FROM model WHERE building_id = %s AND current_version IS NOT NULL", (building.id,)
            )
        if building and shown:
            return building
        file = self._ifc or await _sample(self._settings.data / "sample.ifc")
        click.echo(f"Importing {file.name} …")
        blob = await asyncio.to_thread(twin.blobs.put_file, file, IFC)
        async with twin.db.transaction() as conn:
            building = building or await places.create_building(conn, name)
            job = await ask_for_import(conn, building, file.stem, "arc", blob, file.name, SYSTEM)
        await _follow(twin, job)
        async with twin.db.transaction() as conn:
            if await row(conn, "SELECT 1 FROM point WHERE building_id = %s LIMIT 1", (building.id,)) is None:
                await seeding.points_for_demo(conn, SYSTEM, building.id)
        return building

    def _say(self, address: str) -> None:
        click.echo("")
        click.echo(f"  Open     {address}")
        click.echo(f"  Sign in  {ACCOUNT} / {self._password}   (crew: {CREW_ACCOUNT}, same password)")
        click.echo("  Faults appear in the next minutes. Ctrl+C stops; the data stays in " + str(self._settings.data))
        click.echo("")


async def _sample(out: Path) -> Path:
    """Write the sample building in a process of its own: the server does not load ifcopenshell."""
    click.echo("Generating the sample building …")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "api", "sample", str(out), "--storeys", str(STOREYS), stdout=asyncio.subprocess.DEVNULL
    )
    if await process.wait() != 0:
        raise Invalid("demo.sample_failed", where=str(out))
    return out


async def _follow(twin: Twin, job: UUID) -> None:
    stage = None
    async for now in jobs.follow_job(twin.db, job):
        if now.stage != stage and now.stage:
            click.echo(f"  {now.stage} …")
        stage = now.stage
        if now.state in ("failed", "cancelled"):
            error = now.error or {"code": "import.cancelled"}
            raise Invalid(error["code"], where=error.get("where"), **error.get("params", {}))


async def _meters_since_last_year(twin: Twin, simulator: Simulator, building: Building, now: datetime) -> None:
    """Two years of the building's own meters, so that this year can be seen beside the one before; and its quotas."""
    start = datetime(now.year - 1, 1, 1, tzinfo=UTC) - timedelta(days=2)
    async with twin.db.connection() as conn:
        meters = await list_meters(conn, building.id)
    flows = (await twin.networks.of(building.id)).flows
    of_media = [[meter for meter in meters if meter.medium == medium] for medium in MEDIA]
    mains = [main for each in of_media if each for main in mains_and_leaves(each, flows)[0]][:MOST_MAINS]
    await twin.history.ensure_months(start, now)
    await simulator.backfill(start, now - HISTORY, METER_STEP, {meter.handle for meter in mains})
    async with twin.db.transaction() as conn:
        told = await consumption(conn, twin.networks, building.id, now)
        for use in told.media:
            # What a manager allows: as much as last year and a little more, in round numbers.
            last = {each.month: each.amount if each.year < now.year else each.before for each in use.months}
            months = [None if last[m] is None else float(f"{1.02 * (last[m] or 0.0):.2g}") for m in range(1, 13)]
            await set_quota(conn, SYSTEM, building.id, use.medium, now.year, months, now)


async def _furnish(conn: Conn, building: Building, now: datetime) -> None:
    """Rules, plans, assets and a first order, as a property company would set them up."""
    found = await rows(
        conn,
        """SELECT key, properties ->> 'sim' AS sim FROM point
           WHERE building_id = %s AND retired_at IS NULL AND properties ? 'sim' ORDER BY key""",
        (building.id,),
    )
    for watch in WATCHES:
        for point in [each["key"] for each in found if each["sim"] == watch.sim][: watch.most]:
            await rules.create_rule(conn, SYSTEM, point, watch.rule)
    machines = await rows(
        conn,
        """SELECT e.id, e.ifc_class, coalesce(e.name, e.ifc_class) AS name, e.tag,
                  e.psets -> 'Pset_ManufacturerOccurrence' -> 'SerialNumber' ->> 'value' AS serial
           FROM element e JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
           WHERE e.building_id = %s AND e.ifc_class = ANY(%s) ORDER BY e.ifc_class, e.name, e.id""",
        (building.id, list(ASSET_CLASSES)),
    )
    for number, machine in enumerate(machines, 1):
        code = f"{machine['ifc_class'].removeprefix('Ifc')[:4].upper()}-{number:03}"
        asset = await assets.create_asset(conn, building.id, code, machine["name"], serial=machine["serial"])
        await assets.bind_asset(conn, asset.id, machine["id"], since=now)
    classes = {machine["ifc_class"] for machine in machines}
    soon = min((now + timedelta(days=4)).day, 28)  # so that the demo shows something due
    for ifc_class, name, rrule, checklist in PLANS:
        if ifc_class in classes:
            wish = PlanInput(
                name=name,
                rrule=rrule.format(soon=soon),
                starts_at=now - timedelta(days=30),
                lead=timedelta(days=3).total_seconds(),
                crew="crew",
                checklist=tuple(checklist),
            )
            target = {"element": None, "type_": None, "system": None, "ifc_class": ifc_class}
            await plans.create_plan(conn, SYSTEM, building.id, target, wish, now)
    if machines:
        noisy = next((each for each in machines if each["ifc_class"] == "IfcPump"), machines[0])
        wish_order = OrderInput(
            title=f"检查异响 Check the noise: {noisy['name']}",
            description="业主反映设备有异响，请现场检查。 Residents report an unusual noise; please check on site.",
            element_id=noisy["id"],
            assignee=CREW_ACCOUNT,
            checklist=("听诊 Listen", "测振 Measure vibration", "拍照 Take a photo"),
        )
        await orders.create_order(conn, SYSTEM, building.id, wish_order, now)
