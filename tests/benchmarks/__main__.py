"""Run all benchmarks, or one: `python -m tests.benchmarks [NAME]`."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def benchmarks() -> list[str]:
    """Modules with a `main()` of their own, and packages with a `__main__`."""
    modules = [path.stem for path in FOLDER.glob("*.py") if path.stem not in ("__init__", "__main__", "figures")]
    return sorted(modules + [path.parent.name for path in FOLDER.glob("*/__main__.py")])


def main() -> None:
    """Each in a process of its own; the first one that fails ends it."""
    known = benchmarks()
    chosen = sys.argv[1:] or known
    unknown = [name for name in chosen if name not in known]
    if unknown:
        sys.exit(f"there is no benchmark {', '.join(unknown)}: choose from {', '.join(known)}")
    for name in chosen:
        subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], check=True)


if __name__ == "__main__":
    main()
