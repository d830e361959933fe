"""One error shape for everything the server refuses: RFC 9457 problem+json.

Problem
├── raised by our own code with a stable `code`
├── made from framework errors (404, 405, 422, 413 …) by the handlers below
└── made from `nlp.errors.PetitionError`, whose text is fit to be shown

A problem never quotes petition text: validation errors are reported by place and rule, without the input.
"""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from nlp.errors import BundleError, PetitionError, TextError

TITLES: dict[int, str] = {
    400: "请求有误",
    401: "需要登录",
    403: "没有权限",
    404: "没有这个地址或对象",
    405: "不支持的请求方法",
    406: "不支持的返回格式",
    408: "请求体传输超时",
    409: "与当前状态冲突",
    412: "前提条件不成立",
    413: "请求体过大",
    415: "不支持的内容类型",
    422: "内容不符合要求",
    428: "缺少前提条件",
    429: "请求过多",
    500: "服务器内部错误",
    503: "服务暂不可用",
}
"""Chinese title of every status the server answers with."""


class Problem(Exception):  # noqa: N818  RFC 9457 calls it a problem
    """A refusal with its HTTP status, a stable English `code` and a Chinese sentence for the reader."""

    def __init__(
        self,
        status: int,
        *,
        code: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        **extra: object,
    ) -> None:
        """Keep the parts; `extra` members are added to the problem as they are."""
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = extra

    @property
    def body(self) -> dict[str, Any]:
        """The problem details object, without the members that belong to one request."""
        return {
            "type": f"urn:petition-router:problem:{self.code}",
            "title": TITLES.get(self.status, HTTPStatus(self.status).phrase),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            **self.extra,
        }


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")

INTERNAL = Problem(500, code="internal_error", detail="服务器内部错误，请把请求编号告诉管理员。")
"""What a client is told of an error nobody foresaw."""


def busy(seconds: int = 1) -> Problem:
    """Return the answer to a request that found the model's queue full."""
    return Problem(
        429,
        code="queue_full",
        detail=f"研判队列已满，请在 {seconds} 秒后重试。",
        headers={"Retry-After": str(seconds)},
    )


def problem_response(request: Request, problem: Problem) -> JSONResponse:
    """Render `problem` as application/problem+json with the path and the request id."""
    body = problem.body | {
        "instance": request.url.path,
        "request_id": getattr(request.state, "request_id", ""),
    }
    return JSONResponse(
        body, status_code=problem.status, headers=problem.headers, media_type="application/problem+json"
    )


def from_petition_error(error: PetitionError) -> Problem:
    """Map an error of the product to a problem."""
    if isinstance(error, TextError):
        return Problem(422, code="text_not_judgeable", detail=str(error))
    if isinstance(error, BundleError):
        return Problem(409, code="bundle_refused", detail=str(error))
    return Problem(422, code="not_accepted", detail=str(error))


def _part(part: int | str) -> str:
    """Return one step to a fault; the name of an unknown member is the sender's, and may be anything."""
    return str(part) if isinstance(part, int) or _NAME.fullmatch(part) else "(…)"


def _from_validation(error: RequestValidationError) -> Problem:
    faults = [
        {"at": "/".join(map(_part, fault["loc"])), "rule": fault["type"], "message": fault["msg"]}
        for fault in error.errors()
    ]
    where = "；".join(fault["at"] for fault in faults[:3])
    return Problem(422, code="invalid_request", detail=f"有 {len(faults)} 处不符合要求：{where}", errors=faults)


def _from_http(error: HTTPException) -> Problem:
    details = {404: "没有这个地址。", 405: "这个地址不支持该请求方法。"}
    code = HTTPStatus(error.status_code).name.lower()
    detail = details.get(error.status_code, TITLES.get(error.status_code, "请求未被接受。"))
    return Problem(error.status_code, code=code, detail=detail, headers=error.headers)


def install(app: FastAPI, *, respond: Callable[[Request, Problem], Response] = problem_response) -> None:
    """Make every refusal of `app` a problem, rendered by `respond`."""

    async def on_problem(request: Request, error: Exception) -> Response:
        if isinstance(error, Problem):
            return respond(request, error)
        if isinstance(error, RequestValidationError):
            return respond(request, _from_validation(error))
        if isinstance(error, HTTPException):
            return respond(request, _from_http(error))
        if isinstance(error, PetitionError):
            return respond(request, from_petition_error(error))
        raise error

    for kind in (Problem, RequestValidationError, HTTPException, PetitionError):
        app.add_exception_handler(kind, on_problem)
