"""Errors as RFC 9457 problem documents, in the caller's language. The one place where an error becomes a status."""

from collections.abc import Mapping
from typing import Any, Final

import psycopg
import psycopg_pool
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from twin.errors import (
    Conflict,
    Denied,
    Invalid,
    Language,
    NotFound,
    TooLarge,
    TooMany,
    TwinError,
    Unauthenticated,
    Unavailable,
    text_of,
)

log = structlog.get_logger()

STATUS: Final[Mapping[type[TwinError], int]] = {
    NotFound: 404,
    Invalid: 422,
    Conflict: 409,
    Denied: 403,
    Unauthenticated: 401,
    TooLarge: 413,
    TooMany: 429,
    Unavailable: 503,
}
TITLES: Final[Mapping[int, Mapping[str, str]]] = {
    400: {"en": "Not a valid request", "zh": "请求无效"},
    401: {"en": "Sign in first", "zh": "请先登录"},
    403: {"en": "Not allowed", "zh": "没有权限"},
    404: {"en": "Not found", "zh": "未找到"},
    405: {"en": "Method not allowed", "zh": "不支持的方法"},
    408: {"en": "Too slow", "zh": "请求过慢"},
    409: {"en": "Conflict", "zh": "冲突"},
    413: {"en": "Too large", "zh": "内容过大"},
    421: {"en": "Not this server", "zh": "并非此服务器"},
    422: {"en": "Invalid input", "zh": "输入无效"},
    429: {"en": "Too many requests", "zh": "请求过多"},
    431: {"en": "Headers too large", "zh": "请求头过大"},
    500: {"en": "Server error", "zh": "服务器错误"},
    503: {"en": "Not available at the moment", "zh": "暂时不可用"},
}
RETRY_AFTER_S: Final = 5
_HTTP_CODES: Final[Mapping[int, str]] = {
    404: "route.unknown",
    405: "route.method",
    408: "request.stalled",
    413: "request.too_large",
}


def language_of(accept_language: str | None) -> Language:
    """Return zh or en, whichever the header names first; English when it names neither."""
    for part in (accept_language or "").split(","):
        tag = part.split(";")[0].strip().lower()
        if tag.startswith("zh"):
            return "zh"
        if tag.startswith("en"):
            return "en"
    return "en"


PROBLEM: Final[Mapping[str, Any]] = {
    "title": "Problem",
    "description": "An error (RFC 9457): `code` is stable, the texts are in the caller's language.",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "the family of errors"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "e.g. building.unknown"},
        "detail": {"type": "string", "description": "what was wrong and what to do"},
        "where": {"type": "string", "description": "the thing or field that is meant"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def describe(document: dict[str, Any]) -> None:
    """Tell in an OpenAPI document that every operation may answer with a problem instead of its result."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)  # FastAPI's own form, which `_validation` replaces
    schemas["Problem"] = dict(PROBLEM)
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"]["4XX"] = {"description": "Refused", "content": content}
            operation["responses"]["5XX"] = {"description": "Not possible at the moment", "content": content}


def message(code: str, language: Language, **params: Any) -> str:
    """Return the text of a code, for errors that cannot be raised as one of ours."""
    return text_of(code, language, params)


def problem(
    status: int, code: str, detail: str, language: Language, *, errors: list[dict[str, Any]] | None = None, **extra: Any
) -> JSONResponse:
    """Return one problem document; `errors` names the fields that are wrong."""
    title = TITLES.get(status, {}).get(language, "Error")
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}
    body |= {key: value for key, value in extra.items() if value is not None}
    if errors:
        body["errors"] = errors
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def of_error(error: TwinError, language: Language, *, status: int | None = None) -> JSONResponse:
    """Return the problem document of one of our own errors; `status` where it is not that of its family."""
    if status is None:
        status = next((STATUS[family] for family in type(error).__mro__ if family in STATUS), 500)
    fields = [{"field": field.field, "message": field.text(language)} for field in error.fields]
    candidates = error.params.get("candidates")
    answer = problem(
        status, error.code, error.text(language), language, errors=fields, where=error.where, candidates=candidates
    )
    if isinstance(error, TooMany):
        answer.headers["Retry-After"] = str(error.params.get("retry_after", 1))
    return answer


async def _twin_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, TwinError)
    return of_error(error, language_of(request.headers.get("accept-language")))


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    language = language_of(request.headers.get("accept-language"))
    fields = [
        {"field": ".".join(str(part) for part in item["loc"] if part != "body") or "body", "message": item["msg"]}
        for item in error.errors()
    ]
    what = {"en": "The request does not have the expected form", "zh": "请求格式不正确"}[language]
    detail = what + ": " + "; ".join(f"{field['field']}: {field['message']}" for field in fields[:5])
    return problem(422, "request.invalid", detail, language, errors=fields)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    language = language_of(request.headers.get("accept-language"))
    code = _HTTP_CODES.get(error.status_code, "request.refused")
    answer = problem(error.status_code, code, str(error.detail), language)
    answer.headers.update(error.headers or {})
    if error.status_code in (408, 413):  # the rest of the body is not read
        answer.headers["connection"] = "close"
    return answer


async def _database_away(request: Request, error: Exception) -> Response:
    language = language_of(request.headers.get("accept-language"))
    log.warning("database.away", error=type(error).__name__, path=request.url.path)
    detail = {
        "en": f"The database does not answer. Nothing was changed; try again in {RETRY_AFTER_S} seconds.",
        "zh": f"数据库没有响应，未做任何更改；请在 {RETRY_AFTER_S} 秒后重试。",
    }
    return problem(503, "database.away", detail[language], language)


async def _unusable_value(request: Request, error: Exception) -> Response:
    """What PostgreSQL cannot take as a value: a NUL in a text, a forged cursor, a number too large."""
    language = language_of(request.headers.get("accept-language"))
    log.info("request.unusable_value", error=type(error).__name__, path=request.url.path)
    detail = {
        "en": "The request has a value that cannot be stored or compared: a NUL character, a changed cursor, "
        "or a number or time out of range.",
        "zh": "请求中含有无法存储或比较的值：NUL 字符、被改动的游标，或超出范围的数值或时间。",
    }
    return problem(422, "request.unusable_value", detail[language], language)


async def _outside(request: Request, error: Exception) -> Response:
    """What the row filters do not let a caller write: a row that would lie outside of what he may change."""
    language = language_of(request.headers.get("accept-language"))
    log.info("request.outside", reason=str(error).splitlines()[0], path=request.url.path)
    detail = {
        "en": "This would be, or become, something outside of what your grants let you change: ask an administrator.",
        "zh": "此操作涉及的对象不在您的授权可更改的范围内：请联系管理员。",
    }
    return problem(403, "scope.outside", detail[language], language)


async def _unexpected(request: Request, error: Exception) -> Response:
    language = language_of(request.headers.get("accept-language"))
    log.error("request.failed", path=request.url.path, method=request.method, exc_info=error)
    detail = {"en": "The server made a mistake; it is in its log.", "zh": "服务器内部错误，已记入日志。"}
    return problem(500, "server.error", detail[language], language)


def install(app: FastAPI) -> None:
    """Register every handler above."""
    app.add_exception_handler(TwinError, _twin_error)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(psycopg.OperationalError, _database_away)
    app.add_exception_handler(psycopg.DataError, _unusable_value)
    app.add_exception_handler(psycopg.errors.InsufficientPrivilege, _outside)
    app.add_exception_handler(UnicodeEncodeError, _unusable_value)  # half a surrogate pair
    app.add_exception_handler(psycopg_pool.PoolTimeout, _database_away)
    app.add_exception_handler(Exception, _unexpected)
