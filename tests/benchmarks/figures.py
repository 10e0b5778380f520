"""How a benchmark tells what it measured: one JSON object per line on stdout."""

import json
import os
import platform
from functools import cache
from pathlib import Path

import psutil


def figure(
    name: str, value: float, unit: str, *, baseline: str | None = None, baseline_value: float | None = None
) -> None:
    """Print one figure. `ratio` is value / baseline_value, both measured in this run on this machine."""
    ratio = round(value / baseline_value, 4) if baseline_value else None
    line = {
        "name": name,
        "value": round(value, 6),
        "unit": unit,
        "baseline": baseline,
        "baseline_value": None if baseline_value is None else round(baseline_value, 6),
        "ratio": ratio,
        "machine": machine(),
    }
    print(json.dumps(line), flush=True)


@cache
def machine() -> str:
    """Processor, usable cores, memory."""
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    cpu = names[0].split(":", 1)[1].strip() if names else platform.processor() or platform.machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cpu}, {cores} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB"
