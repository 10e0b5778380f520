"""New lock files, hash-pinned, for every platform, naming no download host: `make lock`.

What is pinned stays as it is where it still fits; `python -m scripts.lock --upgrade` takes the newest.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = (ROOT / ".venv" / "bin" / "uv").as_posix()


def compile_lock(out: str, *what: str) -> None:
    """Resolve `what` into the lock file `out`."""
    command = [UV, "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--python-version", "3.11"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "make lock"]
    subprocess.run([*command, *sys.argv[1:], *what, "--output-file", out], cwd=ROOT, check=True)
    if "://" in (ROOT / out).read_text():
        sys.exit(f"{out} names a host")


def main() -> None:
    """Write the three of them."""
    compile_lock("requirements.lock", "pyproject.toml", "--group", "build")
    # The development tools must agree with what the application runs on.
    constraints = ["--constraints", "requirements.lock"]
    compile_lock("requirements-dev.lock", "pyproject.toml", "--group", "build", "--group", "dev", *constraints)
    with tempfile.NamedTemporaryFile("w", suffix=".in") as only_uv:
        only_uv.write("uv\n")
        only_uv.flush()
        compile_lock(
            "requirements-bootstrap.lock", only_uv.name, "--no-annotate", "--constraints", "requirements-dev.lock"
        )


if __name__ == "__main__":
    main()
