"""Run a notebook's code cells one after the other and print what they show, as JSON: `run_notebook FILE`.

In IPython itself rather than in a kernel behind sockets: what is proved is the notebook, and whoever started this
process can end it.
"""

import json
import sys
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output


def main(file: Path) -> None:
    shell = InteractiveShell.instance()
    assert shell.display_formatter
    said, shown = "", []
    for cell in json.loads(file.read_text())["cells"]:
        if cell["cell_type"] != "code":
            continue
        with capture_output() as captured:
            result = shell.run_cell("".join(cell["source"]))  # type: ignore[no-untyped-call]
        result.raise_error()
        said += captured.stdout
        shown += [sorted(output.data) for output in captured.outputs]
        if result.result is not None:  # a cell's last line
            shown.append(sorted(shell.display_formatter.format(result.result)[0]))  # type: ignore[no-untyped-call]
    json.dump({"said": said, "shown": shown}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
