"""`make bench NAME=telemetry`: every figure on plain PostgreSQL, then on TimescaleDB where one can be had.

`python -m tests.benchmarks.telemetry [ingest|live|fanout|backfill|chart|storage]…` takes some of them;
`TWIN_BENCH_ENGINE=postgresql` or `timescaledb` one engine. Each runs in a process of its own.
"""

import os
import subprocess
import sys

from tests.timescale import TimescaleUnavailable, running

FIGURES = ("ingest", "live", "fanout", "backfill", "chart", "storage")


def run(figures: list[str], **environment: str) -> None:
    """The figures in turn."""
    for name in figures:
        command = [sys.executable, "-m", f"tests.benchmarks.telemetry.{name}"]
        subprocess.run(command, env={**os.environ, **environment}, check=True)


def main() -> None:
    """On the engines that were asked for."""
    figures = sys.argv[1:] or list(FIGURES)
    unknown = sorted(set(figures) - set(FIGURES))
    if unknown:
        sys.exit(f"there is no figure {', '.join(unknown)}: choose from {', '.join(FIGURES)}")
    engine = os.environ.get("TWIN_BENCH_ENGINE")
    if engine in (None, "postgresql"):
        run(figures)
    if engine in (None, "timescaledb"):
        try:
            with running(durable=True) as url:
                run([name for name in figures if name not in ("live", "fanout")], TWIN_BENCH_DATABASE=url)
        except TimescaleUnavailable as error:
            print(f"# no TimescaleDB here: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
