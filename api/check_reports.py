"""A check as something to hand on: BCF issues, CSV rows, a page of HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from ifc_models import bcf, checks, topics
from ifc_models.bcf_view import write_documents, write_extensions, write_project, write_version, write_view
from ifc_models.bcf_write import write_markup
from ifc_models.bcf_zip import MARKUP, pack
from ifc_models.checks import CheckDetail, ElementOutcome
from twin.db import Conn, rows
from twin.errors import Invalid, Language
from twin.viewpoint import Viewpoint, look_at

MAX_SELECTED: Final = 1000  # elements that one issue selects
_RED: Final = "FFE5484D"
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "check": ("Check", "检查"),
    "status": ("Status", "状态"),
    "pass": ("passed", "通过"),
    "fail": ("failed", "未通过"),
    "error": ("error", "错误"),
    "warning": ("warning", "警告"),
    "info": ("note", "提示"),
    "what": ("Specification or finding", "规格或问题"),
    "requirement": ("Requirement", "要求"),
    "class": ("Class", "类"),
    "name": ("Name", "名称"),
    "storey": ("Storey", "楼层"),
    "reason": ("Reason", "原因"),
    "applicable": ("applicable", "适用"),
    "fix": ("How to fix it", "如何修复"),
    "count": ("Count", "数量"),
    "findings": ("Findings", "发现的问题"),
    "specifications": ("Specifications", "规格"),
    "nothing": ("Nothing to complain about.", "未发现问题。"),
    "not_done": ("not done yet", "尚未完成"),
    "of": ("model", "模型"),
    "version": ("version", "版本"),
}


def word(key: str, language: Language) -> str:
    """A word of the reports."""
    english, chinese = _WORDS[key]
    return chinese if language == "zh" else english


@dataclass(frozen=True, slots=True)
class ReportTopic:
    """An issue made of something that failed."""

    topic: bcf.Topic
    view: bcf.View


async def check_topics(conn: Conn, detail: CheckDetail, language: Language, author: str) -> list[ReportTopic]:
    """One issue per finding or failing specification, with a view of its elements, in the models' coordinates."""
    run, made = detail.run, []
    offset = await topics.frame_offset(conn, run.building_id)
    date = run.finished_at or run.created_at
    for finding in detail.findings:
        text, fix = finding.get("explanation", {}).get(language, finding["message"]), finding.get("fix", {})
        described = "\n".join((text, fix[language])) if language in fix else text
        boxes = await _boxes(conn, run, finding["where"])
        topic = _topic(f"{run.id}/{finding['code']}", text, described, finding["severity"], date, author)
        made.append(ReportTopic(topic, topics.moved(_view(finding["where"], boxes), offset)))
    for each in detail.specifications:
        if each.status == "pass":
            continue
        page = await checks.list_elements(conn, run.id, language, specification=each.n, limit=MAX_SELECTED)
        lines = [each.description or "", *(f"{r.text}: {r.failed}" for r in each.requirements if r.failed)]
        topic = _topic(f"{run.id}/{each.n}", each.name, "\n".join(filter(None, lines)), "error", date, author)
        ids = [one.global_id for one in page.items if one.global_id]
        view = _view(ids, [one.bbox for one in page.items if one.bbox])
        made.append(ReportTopic(topic, topics.moved(view, offset)))
    return made


def _topic(seed: str, title: str, description: str, severity: str, date: datetime, author: str) -> bcf.Topic:
    return bcf.Topic(
        guid=str(uuid5(NAMESPACE_URL, f"check:{seed}")),
        title=title[:500],
        topic_type=severity.capitalize(),
        topic_status="Open",
        description=description or None,
        creation_date=date,
        creation_author=author,
    )


def _view(global_ids: Sequence[str], boxes: Sequence[Sequence[float]]) -> bcf.View:
    components = [bcf.Component(ifc_guid=each) for each in dict.fromkeys(global_ids)]
    camera = None
    if boxes:
        box = [min(b[i] for b in boxes) for i in range(3)] + [max(b[i] for b in boxes) for i in range(3, 6)]
        camera = camera_of(look_at(box))
    colouring = [bcf.Colouring(colour=_RED, components=components)] if components else []
    return bcf.View(camera=camera, selection=components, visibility=bcf.Visibility(default=True), colouring=colouring)


def camera_of(viewpoint: Viewpoint, field_of_view: float = 50.0) -> bcf.Camera:
    """A perspective camera from {eye, target}, upright."""
    eye, target = list(viewpoint["eye"]), viewpoint["target"]
    direction = [there - here for here, there in zip(eye, target, strict=True)]
    length = sum(value * value for value in direction) ** 0.5 or 1.0
    ahead = [value / length for value in direction] if any(direction) else [0.0, 1.0, 0.0]
    flat = max((ahead[0] ** 2 + ahead[1] ** 2) ** 0.5, 1e-9)
    straight = flat < 1e-6
    up = [0.0, 1.0, 0.0] if straight else [-ahead[2] * ahead[0] / flat, -ahead[2] * ahead[1] / flat, flat]
    return bcf.Camera(kind="perspective", eye=eye, direction=ahead, up=up, field_of_view=field_of_view)


async def _boxes(conn: Conn, run: checks.CheckRun, global_ids: Sequence[str]) -> list[list[float]]:
    found = await rows(
        conn,
        "SELECT bbox FROM element WHERE model_id = %s AND global_id = ANY (%s) AND bbox IS NOT NULL",
        (run.model_id, list(global_ids)),
    )
    return [each["bbox"] for each in found]


def pack_topics(made: Sequence[ReportTopic], version: str, project: str) -> bytes:
    """A BCF archive of these issues. Raises Invalid for another version than 2.1 or 3.0."""
    if version not in bcf.VERSIONS:
        raise Invalid("bcf.version", where="version", version=version, known=", ".join(bcf.VERSIONS))
    files = {"bcf.version": write_version(version), "project.bcfp": write_project(project, "Check", version)}
    if version == "3.0":
        said = [each.topic for each in made]
        files["extensions.xml"] = write_extensions(said, sorted({topic.creation_author for topic in said}))
        files["documents.xml"] = write_documents(())
    for each in made:
        guid = str(uuid5(NAMESPACE_URL, f"view:{each.topic.guid}"))
        entry = bcf.ViewpointEntry(guid=guid, viewpoint=f"Viewpoint_{guid}.bcfv")
        markup = bcf.Markup(topic=each.topic, comments=[], viewpoints=[entry])
        files[f"{each.topic.guid}/{MARKUP}"] = write_markup(markup, version, None, None)
        files[f"{each.topic.guid}/{entry.viewpoint}"] = write_view(guid, each.view, version)
    return pack(files)


def csv_header(language: Language) -> list[str]:
    """The columns of the CSV report."""
    columns = ("status", "what", "requirement", "class", "name", "GlobalId", "storey", "reason")
    return [word(each, language) if each in _WORDS else each for each in columns]


def csv_row(finding: Mapping[str, Any], language: Language) -> list[list[str | None]]:
    """The rows of one finding: one per named place, or one without any."""
    text = finding.get("explanation", {}).get(language, finding["message"])
    fix = finding.get("fix", {}).get(language)
    severity = word(finding["severity"], language)
    return [[severity, text, None, None, None, place, None, fix] for place in finding["where"] or [None]]


def csv_rows(each: ElementOutcome, specification: str, language: Language) -> list[list[str | None]]:
    """The rows of one failing element: one per reason."""
    named = [each.ifc_class, each.name, each.global_id, each.storey]
    return [[word("fail", language), specification, why.text, *named, why.reason] for why in each.failures]


def check_html(detail: CheckDetail, failing: Mapping[int, Sequence[ElementOutcome]], language: Language) -> str:
    """The report as one page that needs nothing else."""
    run = detail.run
    status = word(run.status, language) if run.status else word("not_done", language)
    name = run.title or run.file_name or word("check", language)
    parts = [f"<h1>{escape(name)}</h1>", f"<p class=meta>{word('of', language)} <b>{escape(run.model)}</b> · "]
    parts.append(f"{word('version', language)} {run.version} · {escape(run.created_by)} · ")
    parts.append(f"{(run.finished_at or run.created_at).astimezone(UTC):%Y-%m-%d %H:%M} UTC · <b>{status}</b></p>")
    if run.status and not detail.findings and not detail.specifications:
        parts.append(f"<p>{word('nothing', language)}</p>")
    parts += [_finding_html(each, language) for each in detail.findings]
    parts += [_specification_html(each, failing.get(each.n, ()), language) for each in detail.specifications]
    return _PAGE.format(language=language, title=escape(name), body="".join(parts))


def _finding_html(finding: Mapping[str, Any], language: Language) -> str:
    text = finding.get("explanation", {}).get(language, finding["message"])
    fix = finding.get("fix", {}).get(language, "")
    where = ", ".join(finding["where"])
    return (
        f"<section><h2><i class={finding['severity']}>{word(finding['severity'], language)}</i> {escape(text)}</h2>"
        f"<p>{word('fix', language)}: {escape(fix)}</p><p class=ids>{escape(where)}</p></section>"
    )


def _specification_html(each: checks.SpecificationView, failing: Sequence[ElementOutcome], language: Language) -> str:
    status = "error" if each.status == "fail" else "ok"
    head = (
        f"<section><h2><i class={status}>{word(each.status, language)}</i> {escape(each.name)}</h2>"
        f"<p>{escape(each.description or '')}</p><p>{each.applicable} {word('applicable', language)} · "
        f"{each.passed} {word('pass', language)} · {each.failed} {word('fail', language)}</p><ul>"
    )
    requirements = "".join(f"<li>{escape(r.text)} — {r.failed}</li>" for r in each.requirements)
    if not failing:
        return f"{head}{requirements}</ul></section>"
    columns = ("class", "name", "storey", "reason")
    titles = "<th>GlobalId" + "".join(f"<th>{word(column, language)}" for column in columns)
    lines = "".join(_element_html(one) for one in failing)
    return f"{head}{requirements}</ul><table><tr>{titles}</tr>{lines}</table></section>"


def _element_html(one: ElementOutcome) -> str:
    reasons = "<br>".join(escape(f"{why.text} — {why.reason}") for why in one.failures)
    cells = "".join(f"<td>{escape(each or '')}" for each in (one.global_id, one.ifc_class, one.name, one.storey))
    return f"<tr>{cells}<td>{reasons}</tr>"


_PAGE: Final = """<!doctype html><html lang={language}><meta charset=utf-8><title>{title}</title><style>
body{{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}}
h2{{font-size:1.05rem;margin:0}}section{{border-top:1px solid #d8dee4;padding:.8rem 0}}.meta{{color:#57606a}}
i{{font-style:normal;font-size:.8rem;padding:.1rem .45rem;border-radius:.3rem;background:#ddf4ff}}
i.error{{background:#ffebe9;color:#a40e26}}i.warning{{background:#fff8c5;color:#7d4e00}}i.ok{{background:#dafbe1}}
.ids,td:first-child{{font-family:monospace;font-size:.85rem;word-break:break-all}}
table{{border-collapse:collapse;width:100%}}td,th{{text-align:left;vertical-align:top;border-top:1px solid #eaeef2;
padding:.25rem .5rem;font-size:.85rem}}</style><body>{body}</body></html>"""
