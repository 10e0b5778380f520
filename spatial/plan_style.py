"""How a plan looks: line weights, fills and colours of its themes, and its words in Chinese and English."""

from dataclasses import dataclass
from typing import Final

LANGUAGES: Final = ("zh", "en")
THEMES: Final = ("print", "screen", "dark")


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of a theme."""

    paper: str
    ink: str  # what is cut, and text
    thin: str  # what is seen below
    faint: str
    fills: dict[str, str]  # by material, of what is cut
    hatch: str  # lines of a hatch
    room: str  # fill of rooms
    accent: str
    families: dict[str, str]  # colours of symbols


_LIGHT: Final = {"electrical": "#8a5a00", "fire": "#b3161b", "hvac": "#1f5f8b", "water": "#0b6e6e",
                 "security": "#5b3f8c", "transport": "#444444"}  # fmt: skip
_DARK: Final = {"electrical": "#e8b04a", "fire": "#ff7a72", "hvac": "#79bdf0", "water": "#5fd0cb",
                "security": "#c0a6f2", "transport": "#c8ced6"}  # fmt: skip
THEME: Final[dict[str, Theme]] = {
    "print": Theme(
        "#ffffff", "#000000", "#4d4d4d", "#9a9a9a",
        {"concrete": "#4a4a4a", "masonry": "#ffffff", "wood": "#f1e6d2", "metal": "#222222", "glass": "#e8f2f6",
         "insulation": "#fff8dc", "light": "#f2f2f2", "": "#8c8c8c"},
        "#000000", "none", "#c2410c", _LIGHT),
    "screen": Theme(
        "#fcfcfb", "#20262e", "#7b8591", "#c3c9d0",
        {"concrete": "#4b545f", "masonry": "#cfd4da", "wood": "#e5d3b3", "metal": "#2d343d", "glass": "#d5e8f2",
         "insulation": "#f6edc6", "light": "#dfe3e7", "": "#6b7580"},
        "#5b6570", "#f1f4f7", "#d9480f", _LIGHT),
    "dark": Theme(
        "#14181d", "#e6ebf0", "#7f8a96", "#3b444e",
        {"concrete": "#aeb8c2", "masonry": "#59636e", "wood": "#7b6a4d", "metal": "#d7dde3", "glass": "#35566b",
         "insulation": "#6e6640", "light": "#4a535d", "": "#8e99a5"},
        "#aab4bf", "#1c2229", "#ff9a4d", _DARK),
}  # fmt: skip
WORDS: Final[dict[str, dict[str, str]]] = {
    "zh": {
        "title": "{building} {storey} 平面图",
        "desc": "{storey}平面图，比例 1:{scale}：{rooms} 个房间、{doors} 扇门、{symbols} 件设备。"
                "剖切高度在楼面以上 {cut} m。",
        "scale": "比例", "building": "建筑", "storey": "楼层", "elevation": "标高", "models": "模型", "date": "日期",
        "north": "北", "up": "上", "down": "下", "legend": "图例", "no_data": "无数据", "empty": "本层没有可绘制的内容",
        "door": "门", "paper": "图幅", "heat": "{quantity}（{unit}）", "heat_bare": "{quantity}", "room": "房间",
    },
    "en": {
        "title": "{building}, {storey}: floor plan",
        "desc": "Floor plan of {storey} at 1:{scale}: {rooms} rooms, {doors} doors, {symbols} pieces of equipment. "
                "Cut {cut} m above the floor.",
        "scale": "Scale", "building": "Building", "storey": "Storey", "elevation": "Elevation", "models": "Models",
        "date": "Date", "north": "N", "up": "UP", "down": "DN", "legend": "Legend", "no_data": "no data",
        "empty": "There is nothing to draw on this storey", "door": "door", "paper": "Paper",
        "heat": "{quantity} ({unit})", "heat_bare": "{quantity}", "room": "room",
    },
}  # fmt: skip
UNITS: Final = {"DEG_C": "°C", "PERCENT": "%", "PERCENT_RH": "%RH", "PPM": "ppm", "KiloW": "kW", "W": "W", "PA": "Pa",
                "LUX": "lx", "KiloW-HR": "kWh", "M3-PER-HR": "m³/h", "UNITLESS": "1"}  # fmt: skip
_HATCHES: Final = {
    "masonry": ("120", '<path d="M0 0H120"/>', "45"),
    "wood": ("90", '<path d="M0 30H90M0 70H90"/>', "0"),
    "insulation": ("140", '<path d="M0 110 70 30 140 110"/>', "0"),
    "light": ("160", '<path d="M40 40h8M120 120h8"/>', "0"),
}


def style_of(theme: Theme, pen: float) -> str:
    """Return the style sheet; `pen`: width of what is cut, mm. Lengths of drawn things are 1/100 mm."""
    families = "".join(f".y-{name}{{color:{colour}}}" for name, colour in theme.families.items())
    fills = "".join(
        f".g .m-{name or 'none'}{{fill:{f'url(#h-{name})' if name in _HATCHES else colour}}}"
        for name, colour in theme.fills.items()
    )
    return (
        f".g path{{fill:none;stroke:{theme.thin};stroke-width:13;stroke-linejoin:round;stroke-linecap:round}}"
        f".g .room{{fill:{theme.room};stroke:none}}.g .solid{{fill:{theme.paper}}}.g .slab{{stroke:{theme.faint}}}"
        f".g .over{{stroke-dasharray:60 40}}.g .edge{{stroke:{theme.faint};pointer-events:none}}"
        f".g .cut{{stroke:none;fill-rule:evenodd}}.g .outline{{stroke:{theme.ink};stroke-width:{pen * 100:.0f};"
        f"stroke-linejoin:miter;pointer-events:none}}"
        f".g .win{{stroke:{theme.ink};stroke-width:16;fill:{theme.fills['glass']}}}"
        f".g .door{{stroke:{theme.ink};stroke-width:25}}.g .arc{{stroke-width:13;stroke:{theme.thin}}}"
        f".g .guess{{stroke-dasharray:80 60}}.g .gap{{fill:{theme.paper};stroke:none}}"
        f".g .arrow{{stroke:{theme.ink};stroke-width:16}}.g .tip{{fill:{theme.ink};stroke:none}}"
        f".g .run{{stroke-width:10}}.g .chosen{{stroke:{theme.accent};stroke-width:70;stroke-linejoin:miter}}"
        f".g .nodata{{fill:url(#h-nodata)}}.g .heat{{stroke:{theme.thin};stroke-width:8}}"
        f"{fills}{families}"
        f".s{{fill:none;stroke:currentColor;stroke-width:.14;stroke-linejoin:round}}"
        f".s .f{{fill:currentColor}}.s text{{fill:currentColor;stroke:none;text-anchor:middle;font-weight:600}}"
        f".s .bg{{fill:{theme.paper};stroke:none}}"
        f"svg{{color:{theme.ink}}}"
        f"text{{font-family:'Noto Sans SC','Source Han Sans SC','Noto Sans CJK SC','Microsoft YaHei','PingFang SC',"
        f"'Helvetica Neue',Arial,sans-serif;fill:{theme.ink}}}"
        f".label{{text-anchor:middle;paint-order:stroke;stroke:{theme.paper};stroke-width:.5;stroke-linejoin:round;"
        f"pointer-events:none}}.label .n{{font-weight:600}}.label .a{{fill:{theme.thin}}}"
        f".sheet{{fill:none;stroke:{theme.ink};stroke-width:.35}}.sheet .b{{stroke-width:.7}}.k{{fill:{theme.thin}}}"
        f"@media print{{svg{{background:#fff}}}}"
    )


def patterns(theme: Theme) -> str:
    """Return the hatches, in hundredths of a millimetre."""
    made = []
    for name, (size, body, turn) in _HATCHES.items():
        lines = body.replace("<path", f"<path style={_PLAIN}")
        made.append(
            f'<pattern id="h-{name}" width="{size}" height="{size}" patternUnits="userSpaceOnUse" '
            f'patternTransform="rotate({turn})"><rect width="{size}" height="{size}" fill="{theme.fills[name]}"/>'
            f'<g style="fill:none;stroke:{theme.hatch};stroke-width:10">{lines}</g></pattern>'
        )
    made.append(
        f'<pattern id="h-nodata" width="200" height="200" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<path style="fill:none;stroke:{theme.faint};stroke-width:12" d="M0 0H200"/></pattern>'
    )
    return "".join(made)


_PLAIN: Final = '"fill:none;stroke:inherit;stroke-width:10"'


def text_width(text: str, size: float) -> float:
    """Return about how wide a text is, in the unit of its size."""
    return sum(1.0 if ord(letter) > 0x2E7F else 0.3 if letter in " .,il1|:'" else 0.58 for letter in text) * size
