"""The browser app: files of viewer/web/dist, and its page for every address that is not the API's."""

import secrets
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Response
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse
from starlette.staticfiles import StaticFiles

from api.guard import page_policy

DIST: Final = Path(__file__).resolve().parent.parent / "viewer" / "web" / "dist"
NONCE: Final = "CSP_NONCE"  # viewer/web/vite.config.ts puts it in
YEAR_S: Final = 31_536_000
NOT_BUILT: Final = """<!doctype html><meta charset=utf-8><title>Twin</title>
<p>The viewer is not built yet: run <code>make setup</code>. The API is at <a href=/api/v1/openapi.json>/api/v1</a>.
<p>尚未构建前端：请运行 <code>make setup</code>。"""


class _Assets(StaticFiles):
    """Files whose name carries their content's hash: cached for ever."""

    def file_response(self, *args: object, **options: object) -> Response:
        response = super().file_response(*args, **options)  # type: ignore[arg-type]
        response.headers["cache-control"] = f"public, max-age={YEAR_S}, immutable"
        return response


def mount_web(app: FastAPI, dist: Path = DIST) -> None:
    """Serve the built app at `/`; where it is not built, a page that says how to."""
    if (dist / "assets").is_dir():
        app.mount("/assets", _Assets(directory=dist / "assets"), name="assets")

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str) -> Response:
        if path.startswith("api/"):
            raise HTTPException(404, "There is no such route; GET /api/v1/openapi.json lists them.")
        try:
            file = (dist / path).resolve()
            if path and file.suffix != ".html" and file.is_file() and file.is_relative_to(dist.resolve()):
                return FileResponse(file, headers={"cache-control": "no-cache"})
        except (OSError, ValueError):  # a name that no file system takes: NUL, or far too long
            raise HTTPException(404, "There is no such page.") from None
        index = dist / "index.html"
        return _index(index) if index.is_file() else HTMLResponse(NOT_BUILT, 503)


def _index(index: Path) -> Response:
    """The app's page with a nonce of its own, which style sheets made at run time carry."""
    nonce = secrets.token_urlsafe(16)
    headers = {"cache-control": "no-store", "content-security-policy": page_policy(nonce)}
    return HTMLResponse(index.read_text("utf-8").replace(NONCE, nonce), headers=headers)
