"""Print the OpenAPI document: `python -m api.openapi > docs/openapi.json`. The viewer's types are made from it."""

import json
import sys

from api.app import create_app


def document() -> str:
    """Return the document as JSON, keys in a stable order."""
    return json.dumps(create_app(None).openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
