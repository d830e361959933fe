"""The OpenAPI document: FastAPI's, with our one error shape in place of its own and the roles of each operation."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from serving.access import COOKIE, Allowed, signed_in_caller
from serving.roles import PERMISSIONS, ROLES
from serving.schemas.base import ProblemOut

SECURITY_SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "接口密钥。"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "网页登录；非 GET 请求还须带 X-CSRF-Token。",
    },
}


def describe(app: FastAPI, routers: Iterable[APIRouter]) -> dict[str, Any]:
    """Return the OpenAPI document of `app`, which includes `routers`; it is built once.

    `x-roles` lists who may call an operation, `x-permission` names the permission; operations without them are
    open to everybody (health, signing in) or to whoever is signed in.
    """
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        components = document.setdefault("components", {})
        for unused in ("HTTPValidationError", "ValidationError"):
            components["schemas"].pop(unused, None)
        components["schemas"]["ProblemOut"] = ProblemOut.model_json_schema()
        components["securitySchemes"] = SECURITY_SCHEMES
        for route in (route for router in routers for route in router.routes):
            if isinstance(route, APIRoute) and route.include_in_schema:
                for method in route.methods or ():
                    _mark(document["paths"][route.path_format][method.lower()], route)
        app.openapi_schema = document
    return app.openapi_schema


def _mark(operation: dict[str, Any], route: APIRoute) -> None:
    operation["responses"].pop("422", None)
    for call in _calls(route.dependant):
        if isinstance(call, Allowed):
            operation["x-permission"] = call.permission
            operation["x-roles"] = [role for role in ROLES if role in PERMISSIONS[call.permission]]
            operation["security"] = [{"key": []}, {"session": []}]
        elif call is signed_in_caller:
            operation["security"] = [{"session": []}]


def _calls(dependant: Dependant) -> Iterator[object]:
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from _calls(dependency)
