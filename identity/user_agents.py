"""A browser's own description of itself, in plain words: `Chrome 126, Windows`."""

import re

# The first that fits: nearly all of them claim to be Safari, and Edge and WeChat claim to be Chrome.
_PROGRAMS = (
    ("WeChat", r"MicroMessenger/(\d+)"),
    ("DingTalk", r"DingTalk/(\d+)"),
    ("Edge", r"Edg(?:e|A|iOS)?/(\d+)"),
    ("Opera", r"OPR/(\d+)"),
    ("Samsung Internet", r"SamsungBrowser/(\d+)"),
    ("QQ Browser", r"M?QQBrowser/(\d+)"),
    ("UC Browser", r"UC?Browser/(\d+)"),
    ("Firefox", r"(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"(?:Chrome|CriOS|Chromium|HeadlessChrome)/(\d+)"),
    ("Safari", r"Version/(\d+)[\d.]* .*Safari/"),
    ("curl", r"^curl/(\d+)"),
    ("Python", r"^(?:python-httpx|python-requests|aiohttp|Python-urllib)/"),
)
_SYSTEMS = (
    ("HarmonyOS", r"HarmonyOS|OpenHarmony"),
    ("Android", r"Android"),
    ("iPad", r"iPad"),
    ("iPhone", r"iPhone"),
    ("Windows", r"Windows"),
    ("macOS", r"Macintosh|Mac OS X"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux|X11"),
)


def plain_words(user_agent: str | None) -> str | None:
    """Which program on which system; what is not known is shown as it is, shortened. None: it said nothing."""
    if not user_agent:
        return None
    words = []
    for name, pattern in _PROGRAMS:
        if found := re.search(pattern, user_agent):
            words.append(f"{name} {found[1]}" if found.groups() else name)
            break
    words += [name for name, pattern in _SYSTEMS if re.search(pattern, user_agent)][:1]
    return ", ".join(words) or user_agent[:60]
