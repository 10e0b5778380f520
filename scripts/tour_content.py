"""Content for the tour: what a demo building looks like after some weeks of people working with it.

Everything goes through the HTTP API, as people's clicks do.
"""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import ifcopenshell
import ifcopenshell.api.root
import ifcopenshell.guid
import pyotp

PASSWORD = secrets.token_urlsafe(18)  # of every account of the tour but the demo's own
PEOPLE = (
    ("li.wei", "李伟", "zh", "facility_engineer"),
    ("zhang.min", "张敏", "zh", "duty_operator"),
    ("anna.schmidt", "Anna Schmidt", "en", "bim_modeller"),
    ("audit.zhao", "赵静", "zh", "auditor"),
    ("factor.wu", "吴一凡", "zh", "owner"),
    ("new.sun", "孙悦", "zh", "crew"),
    ("visitor.tan", "谭明", "zh", "owner"),
)
NIGHTS = {"time_zone": "Asia/Shanghai", "windows": [{"days": [1, 2, 3, 4, 5], "start": "20:00", "end": "08:00"}]}
ISSUES: Sequence[tuple[str, str, str, str, list[str]]] = (
    ("风管穿梁，需改标高", "Clash", "High", "InProgress", ["机电", "结构"]),
    ("Fire door opens against the escape direction", "Issue", "Critical", "Open", ["fire safety"]),
    ("Room name missing on the door schedule", "Remark", "Low", "Open", []),
    ("水泵房排水沟位置与图纸不符", "Request", "Normal", "Solved", ["给排水"]),
)


def _property(pset: str, name: str) -> str:
    return (
        f'<property dataType="IFCLABEL"><propertySet><simpleValue>{pset}</simpleValue></propertySet>'
        f"<baseName><simpleValue>{name}</simpleValue></baseName></property>"
    )


def _specification(name: str, ifc_class: str, requirement: str) -> str:
    return (
        f'<specification name="{name}" ifcVersion="IFC4"><applicability minOccurs="0" maxOccurs="unbounded"><entity>'
        f"<name><simpleValue>{ifc_class}</simpleValue></name></entity></applicability>"
        f"<requirements>{requirement}</requirements></specification>"
    )


_NAME = "<attribute><name><simpleValue>Name</simpleValue></name></attribute>"
IDS = (
    '<ids xmlns="http://standards.buildingsmart.org/IDS"><info><title>业主交付要求 Client requirements</title></info>'
    "<specifications>"
    + _specification("Rooms have a name", "IFCSPACE", _NAME)
    + _specification("Doors state their fire rating", "IFCDOOR", _property("Pset_DoorCommon", "FireRating"))
    + _specification("Pumps carry an asset tag", "IFCPUMP", _property("Client", "AssetTag"))
    + _specification("Chimneys have a name", "IFCCHIMNEY", _NAME)
    + "</specifications></ids>"
)


@dataclass(frozen=True, slots=True)
class Content:
    """What the tour's addresses need: the building, its changed model, a check against an IDS document."""

    building: str
    model: str
    ids_check: str
    alarm: str
    order: str
    chart: str  # ids of points, as the address of the trends has them
    dashboard: str
    report_run: str
    password: str  # of the tour's accounts


class Filler:
    """Fills the server behind `client`, which is signed in as an administrator."""

    def __init__(self, client: httpx.Client, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.building: str = self.items("/buildings")[0]["id"]

    def items(self, path: str, **query: object) -> list[dict[str, Any]]:
        answer = self.client.get(path, params={name: str(value) for name, value in query.items()}).raise_for_status()
        return list(answer.json()["items"])

    def send(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self.client.request(method, path, **options)
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.text else {}

    def wait(self, job: dict[str, Any]) -> None:
        while job["state"] not in ("done", "failed", "cancelled"):
            time.sleep(0.3)
            job = self.send("GET", f"/jobs/{job['id']}")
        if job["state"] != "done":
            raise RuntimeError(f"{job['kind']}: {job}")

    def fill(self, sample: Path) -> Content:
        self.people()
        self.enrol("audit.zhao")
        self.programs()
        self.issues()
        self.versions(sample)
        model = self.items("/models", building=self.building)[0]["id"]
        check = next(one for one in self.items(f"/models/{model}/checks") if one["kind"] == "ids")
        made = self._dashboard(), self._report()
        return Content(self.building, model, check["id"], self._alarm(), self._order(), self._chart(), *made, PASSWORD)

    def _alarm(self) -> str:
        """The first alarm of the simulated faults; the demo raises them in its first minutes."""
        deadline = time.monotonic() + 180
        while not (found := self.items("/alarms", building=self.building)):
            if time.monotonic() > deadline:
                raise RuntimeError("the demo raised no alarm within three minutes")
            time.sleep(2)
        return str(found[0]["id"])

    def _chart(self) -> str:
        """The weather and three rooms."""
        points = [one for one in self.items("/points", building=self.building, limit=1000) if one["unit"] == "DEG_C"]
        outside = [one for one in points if one["brick_class"] == "Outside_Air_Temperature_Sensor"]
        rooms = [one for one in points if one["brick_class"] == "Zone_Air_Temperature_Sensor"]
        return ".".join(one["id"] for one in [*outside[:1], *rooms[:3]])

    def _dashboard(self) -> str:
        """The building in 3D beside what it is like now."""
        points = self.items("/points", building=self.building, limit=1000)
        rooms = [one["key"] for one in points if one["brick_class"] == "Zone_Air_Temperature_Sensor"]
        air = [one["key"] for one in points if one["unit"] == "PPM"]
        places: dict[str, tuple[dict[str, Any], int, int, int, int]] = {
            "scene": ({"title": ""}, 0, 0, 6, 6),
            "alarms": ({}, 6, 0, 3, 6),
            "clock": ({}, 9, 0, 3, 2),
            "value": ({"point": rooms[0]}, 9, 2, 3, 2),
            "gauge": ({"point": air[0], "low": 400, "high": 1500}, 9, 4, 3, 3),
            "chart": ({"points": rooms[:4], "span": "day"}, 0, 6, 6, 4),
            "orders": ({}, 6, 6, 3, 4),
        }
        widgets = [
            {"id": kind, "kind": kind, **what, "x": x, "y": y, "w": w, "h": h}
            for kind, (what, x, y, w, h) in places.items()
        ]
        body = {"name": "值班室 Control room", "shared": True, "layout": {"widgets": widgets}}
        return str(self.send("POST", f"/buildings/{self.building}/dashboards", json=body)["id"])

    def _report(self) -> str:
        """A report of the week, made now."""
        points = self.items("/points", building=self.building, limit=1000)
        rooms = [one["key"] for one in points if one["brick_class"] == "Zone_Air_Temperature_Sensor"]
        table = [{"point": key, "low": 18, "high": 26} for key in rooms[:6]]
        sections = [
            {"kind": "use"}, {"kind": "chart", "points": rooms[:3]}, {"kind": "points", "points": table},
            {"kind": "alarms"}, {"kind": "orders"},
        ]  # fmt: skip
        body = {"name": "周报 Week", "period": "week", "shared": True, "sections": sections}
        report = self.send("POST", f"/buildings/{self.building}/reports", json=body)
        day = datetime.now(UTC).date().isoformat()
        run = self.send("POST", f"/reports/{report['id']}/runs", json={"day": day})
        while run["state"] == "waiting":
            time.sleep(0.3)
            run = self.send("GET", f"/report-runs/{run['id']}")
        return str(run["id"])

    def _order(self) -> str:
        orders = self.items("/work-orders", building=self.building)
        return str(max(orders, key=lambda one: len(one.get("checklist") or []))["id"])

    def people(self) -> None:
        """Accounts with grants limited to a storey or a system, hours, networks, a second factor and a lock."""
        for name, title, language, role in PEOPLE:
            about = {"name": name, "display_name": title, "language": language, "password": PASSWORD}
            first = {"must_change_password": name == "new.sun"}
            self.send("POST", "/accounts", json=about | first | {"roles": [] if name == "li.wei" else [role]})
        places = self.items("/grants/places", building=self.building)
        storey = next(one for one in places if one["kind"] == "storey")
        systems = [one for one in places if one["kind"] == "system"]
        system = next((one for one in systems if not one["name"][:1].isdigit()), systems[0])
        for role, kind, place in (("facility_engineer", "storey", storey), ("duty_operator", "system", system)):
            self.send("POST", "/grants", json={"account": "li.wei", "role": role, kind: place["id"]})
        lead = ["building.read", "alarm.read", "alarm.acknowledge", "work_order.read"]
        self.send("POST", "/roles", json={"name": "night_shift_lead", "title": "夜班组长", "permissions": lead})
        self.send("POST", "/grants", json={"account": "zhang.min", "role": "night_shift_lead"})
        last_month = (datetime.now(UTC) - timedelta(days=21)).isoformat()
        for name, change in (
            ("visitor.tan", {"valid_until": last_month}),
            ("factor.wu", {"require_second_factor": True}),
            ("zhang.min", {"login_hours": NIGHTS, "login_networks": ["10.20.0.0/16"]}),
        ):
            self.send("PATCH", f"/accounts/{name}", json=change)
        for n in range(6):
            httpx.post(f"{self.client.base_url}session", json={"name": "anna.schmidt", "password": f"wrong-{n}"})

    def enrol(self, name: str) -> None:
        """A second factor, set up as its owner does."""
        with httpx.Client(base_url=self.client.base_url, timeout=60) as own:
            me = own.post("/session", json={"name": name, "password": PASSWORD}).raise_for_status().json()
            own.headers["x-csrf-token"] = me["csrf_token"]
            secret = own.post("/me/second-factor").raise_for_status().json()["secret"]
            own.post("/me/second-factor/confirm", json={"code": pyotp.TOTP(secret).now()}).raise_for_status()

    def programs(self) -> None:
        """API keys, one of them used, refused and mistaken."""
        key = self.send("POST", "/api-keys", json={"name": "BMS gateway, tower", "role": "integration"})
        soon = (datetime.now(UTC) + timedelta(days=8, hours=2)).isoformat()
        about = {"name": "Energy dashboard", "role": "owner", "scopes": ["building.read"], "expires_at": soon}
        self.send("POST", "/api-keys", json=about)
        headers = {"authorization": f"Bearer {key['secret']}"}
        with httpx.Client(base_url=self.client.base_url, headers=headers, timeout=60) as program:
            for n in range(60):
                program.get("/audit" if n % 15 == 7 else "/points?limit=1" if n % 3 else "/buildings")

    def issues(self) -> None:
        for title, kind, priority, status, labels in ISSUES:
            about = {"title": title, "topic_type": kind, "priority": priority, "topic_status": status, "labels": labels}
            self.send(
                "POST", "/topics", json=about | {"building": self.building, "comment": "请现场核实 Please verify."}
            )

    def versions(self, sample: Path) -> None:
        """A second version of the model, and checks of it."""
        model = self.items("/models", building=self.building)[0]
        with changed(sample, self.folder / "sample-v2.ifc").open("rb") as file:
            data = {"building": self.building, "model": model["name"], "discipline": model["discipline"]}
            self.wait(self.send("POST", "/models", data=data, files={"file": ("sample-v2.ifc", file)}))
        self.wait(self.send("POST", f"/models/{model['id']}/checks"))
        files = {"ids": ("client.ids", IDS.encode())}
        self.wait(self.send("POST", f"/models/{model['id']}/checks", files=files))


def changed(sample: Path, out: Path) -> Path:
    """The sample as its designer delivers it again: doors gone, moved and rated, walls renamed, GlobalIds remade."""
    file = ifcopenshell.open(str(sample))
    doors, walls = file.by_type("IfcDoor"), file.by_type("IfcWall")
    for door in doors[4:8]:
        door.Name = f"{door.Name or ''} (fire rated)"
    for door in doors[8:14]:
        place = door.ObjectPlacement.RelativePlacement
        x, *rest = place.Location.Coordinates
        place.Location = file.create_entity("IfcCartesianPoint", (x + 0.6, *rest))  # the old one others may share
    for wall in walls[:10]:
        wall.Name = f"{wall.Name or ''} B"
    for door in doors[14:18]:
        door.GlobalId = ifcopenshell.guid.new()
    for pump in file.by_type("IfcFlowTerminal")[:6]:
        ifcopenshell.api.root.copy_class(file, product=pump)
    for door in doors[:4]:
        ifcopenshell.api.root.remove_product(file, product=door)
    file.write(str(out))
    return out
