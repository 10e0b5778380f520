"""What stands around a plan: frame, title block, scale bar, north arrow, legend. All in millimetres of paper."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from spatial.plan import Plan
from spatial.plan_heat import Heat
from spatial.plan_sheet import LEGEND, MARGIN, TITLE, Sheet
from spatial.plan_style import UNITS, Theme, text_width

BAR: Final = 40.0  # mm, at most


def frame_of(
    plan: Plan,
    sheet: Sheet,
    words: Mapping[str, str],
    theme: Theme,
    legend: Sequence[tuple[str, str, int]],
    heat: Heat | None,
) -> str:
    """Return the frame with all that belongs to it. `legend`: symbol, name, how often."""
    inner_w, inner_h = sheet.width - 2 * MARGIN, sheet.height - 2 * MARGIN
    line = sheet.height - MARGIN - TITLE
    parts = [
        (
            f'<g class="sheet"><rect class="b" x="{MARGIN}" y="{MARGIN}" width="{inner_w:g}" height="{inner_h:g}"/>'
            f'<path d="M{MARGIN} {line:g}H{sheet.width - MARGIN:g}"/></g>'
        ),
        *_title_block(plan, sheet, words),
        *_scale_bar(sheet),
        *_north(plan, sheet, words),
    ]
    if sheet.legend:
        parts += _legend(sheet, words, legend, heat, theme)
    if plan.extent() is None:
        parts.append(f'<text x="{sheet.width / 2:g}" y="{sheet.height / 2:g}" font-size="5" text-anchor="middle">'
                     f"{escape(words['empty'])}</text>")  # fmt: skip
    return f"<g>{''.join(parts)}</g>"


def _cell(x: float, y: float, width: float, key: str, value: str, size: float = 3.2) -> str:
    shown = value
    while text_width(shown, size) > width - 3 and size > 1.8:
        size -= 0.2
    while text_width(shown, size) > width - 3 and len(shown) > 4:
        shown = shown[:-2] + "…"
    at = f'x="{x + 1.5:.1f}" y="{y + 8:.1f}" font-size="{size:.1f}"'
    return (
        f'<text class="k" x="{x + 1.5:.1f}" y="{y + 3.6:.1f}" font-size="2">{escape(key)}</text>'
        f"<text {at}><title>{escape(value)}</title>{escape(shown)}</text>"
    )


def _title_block(plan: Plan, sheet: Sheet, words: Mapping[str, str]) -> list[str]:
    """Two rows of cells along the bottom."""
    left, top, width = MARGIN + BAR + 26, sheet.height - MARGIN - TITLE, sheet.width - 2 * MARGIN - BAR - 26
    newest = max((model.created_at for model in plan.models), default=None)
    models = ", ".join(f"{model.name} v{model.version} ({model.discipline})" for model in plan.models) or "—"
    level = "—" if plan.elevation is None else f"{plan.elevation:+.3f}"
    rows = [
        [(0.5, words["building"], plan.building, 3.6), (0.3, words["storey"], plan.storey, 3.6),
         (0.2, words["scale"], f"1:{sheet.scale}", 3.6)],
        [(0.5, words["models"], models, 2.6), (0.17, words["elevation"], level, 2.8),
         (0.2, words["date"], newest.date().isoformat() if newest else "—", 2.8),
         (0.13, words["paper"], sheet.name, 2.8)],
    ]  # fmt: skip
    parts = [f'<path class="sheet" d="M{left:g} {top:g}V{sheet.height - MARGIN:g}M{left:g} {top + 10:g}h{width:g}"/>']
    for number, row in enumerate(rows):
        x, y = left, top + 10 * number
        for share, key, value, size in row:
            parts.append(_cell(x, y, share * width, key, value, size))
            x += share * width
            if x < sheet.width - MARGIN - 1:
                parts.append(f'<path class="sheet" d="M{x:.1f} {y:g}v10"/>')
    return parts


def _scale_bar(sheet: Sheet) -> list[str]:
    longest = BAR * sheet.scale / 1000
    power = 10.0 ** (len(str(int(longest))) - 1) if longest >= 1 else 0.1
    metres = next(power * step for step in (5, 2, 1) if power * step <= longest)
    width = metres * 1000 / sheet.scale
    x, y = MARGIN + 8, sheet.height - MARGIN - 9
    quarter = width / 4
    blocks = "".join(
        f'<rect x="{x + quarter * i:.2f}" y="{y:g}" width="{quarter:.2f}" height="1.6" '
        f'style="stroke-width:.2;fill:{"currentColor" if i % 2 == 0 else "none"}"/>'
        for i in range(4)
    )
    return [
        f'<g class="sheet scale-bar">{blocks}</g>',
        f'<text x="{x:g}" y="{y - 1.2:g}" font-size="2.4" text-anchor="middle">0</text>',
        f'<text x="{x + width / 2:.2f}" y="{y - 1.2:g}" font-size="2.4" text-anchor="middle">{metres / 2:g}</text>',
        f'<text x="{x + width:.2f}" y="{y - 1.2:g}" font-size="2.4" text-anchor="middle">{metres:g} m</text>',
    ]


def _north(plan: Plan, sheet: Sheet, words: Mapping[str, str]) -> list[str]:
    x, y = MARGIN + BAR + 17, sheet.height - MARGIN - TITLE / 2 + 1
    needle = (
        '<circle r="5" style="stroke-width:.25"/>'
        '<path style="stroke-width:.2;fill:currentColor" d="M0-5 1.3 4.8 0 3.4z"/>'
        '<path style="stroke-width:.2" d="M0-5-1.3 4.8 0 3.4z"/>'
    )
    turned = f"translate({x:g} {y:g}) rotate({plan.north - sheet.turn:.2f})"
    return [
        f'<g class="sheet north" transform="{turned}">{needle}</g>',
        f'<text x="{x - 4.6:g}" y="{y - 4:g}" font-size="2.6" text-anchor="end">{escape(words["north"])}</text>',
    ]


def _legend(
    sheet: Sheet, words: Mapping[str, str], legend: Sequence[tuple[str, str, int]], heat: Heat | None, theme: Theme
) -> list[str]:
    x, y = sheet.width - MARGIN - LEGEND, MARGIN
    bottom = sheet.height - MARGIN - TITLE
    parts = [f'<path class="sheet" d="M{x:g} {y:g}V{bottom:g}"/>']
    y += 6
    if heat is not None:
        y = _heat_legend(parts, x, y, words, heat, theme)
    if legend:
        parts.append(f'<text x="{x + 3:g}" y="{y:g}" font-size="3" font-weight="600">{escape(words["legend"])}</text>')
        y += 5.5
    step = min(5.0, (bottom - y - 2) / max(len(legend), 1))
    for symbol, name, count in legend:
        size, many = min(1.3, step * 0.38), f'<tspan class="k">× {count}</tspan>'
        parts.append(f'<use href="#s-{symbol}" transform="translate({x + 5:g} {y - 0.8:.2f}) scale({size:.2f})"/>')
        parts.append(f'<text x="{x + 9:g}" y="{y:.2f}" font-size="2.3">{escape(name)} {many}</text>')
        y += step
    return parts


def _heat_legend(parts: list[str], x: float, y: float, words: Mapping[str, str], heat: Heat, theme: Theme) -> float:
    unit = UNITS.get(heat.unit or "", heat.unit or "")
    title = words["heat" if unit else "heat_bare"].format(quantity=heat.quantity, unit=unit)
    parts.append(f'<text x="{x + 3:g}" y="{y:g}" font-size="3" font-weight="600">{escape(title)}</text>')
    y += 3
    values = [value.value for value in heat.values.values()]
    limits = [min(values), *heat.breaks, max(values)] if values else []
    for number in range(len(limits) - 1):
        told = f"{limits[number]:.4g} – {limits[number + 1]:.4g}"
        parts.append(
            f'<rect x="{x + 3:g}" y="{y:g}" width="7" height="4" style="fill:{heat.colour(number)};fill-opacity:.8;'
            f'stroke:{theme.thin};stroke-width:.1"/><text x="{x + 12:g}" y="{y + 3:g}" font-size="2.4">{told}</text>'
        )
        y += 5
    parts.append(
        f'<g transform="translate({x + 3:g} {y:g}) scale(.01)"><rect width="700" height="400" '
        f'style="fill:url(#h-nodata);stroke:{theme.thin};stroke-width:10"/></g>'
        f'<text x="{x + 12:g}" y="{y + 3:g}" font-size="2.4">{escape(words["no_data"])}</text>'
    )
    return y + 11
