"""Jinja2 set up for the desk: Chinese times and figures, names of codes, one call that renders a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from nlp.decide import in_percent
from serving.context import get_context
from serving.law import CHINA
from serving.roles import Permission
from serving.store.accounts import SignedIn
from serving.web.names import SOURCE_NAMES, name_of, told


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One entry of the navigation: who may go there sees it."""

    path: str
    name: str
    permission: Permission


PLACES = (
    Place(path="/", name="研判台", permission="classify"),
    Place(path="/queues", name="复核队列", permission="decide"),
    Place(path="/search", name="检索", permission="read"),
    Place(path="/statistics", name="统计", permission="statistics"),
    Place(path="/model", name="模型", permission="describe_model"),
    Place(path="/accounts", name="用户与密钥", permission="manage_accounts"),
    Place(path="/audit", name="审计", permission="read_audit"),
)


def moment(value: datetime | None) -> str:
    """Write a moment in Chinese civil time, to the minute."""
    return value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M") if value else "—"


def percent(value: float | None, digits: int = 0) -> str:
    """Write a share as a percentage; a dash for nothing."""
    return "—" if value is None else f"{value * 100:.{digits}f}%"


def figure(value: object) -> str:
    """Write one value of a model's figures; a dash for nothing."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return "、".join(figure(part) for part in value)
    return str(value)


def circled(number: int) -> str:
    """Write 1 to 20 as one sign, ① to ⑳; more as (21)."""
    return chr(ord("①") + number - 1) if 1 <= number <= 20 else f"({number})"


@cache
def environment() -> Environment:
    """Return the templates; whatever is not defined is an error, whatever is text is escaped."""
    made = Environment(
        loader=PackageLoader("serving.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["sources"] = SOURCE_NAMES
    made.filters.update(
        moment=moment,
        percent=percent,
        in_percent=in_percent,
        figure=figure,
        circled=circled,
        told=told,
        name=lambda code, kind: name_of(kind, code),
    )
    return made


def render_part(template: str, **values: Any) -> HTMLResponse:
    """Render a piece of a page, to be put in place by a script."""
    return HTMLResponse(environment().get_template(template).render(**values))


def render(
    request: Request, template: str, *, visitor: SignedIn | None, status: int = 200, **values: Any
) -> HTMLResponse:
    """Render a whole page for `visitor`."""
    frame: Mapping[str, Any] = {
        "visitor": visitor,
        "here": request.url.path,
        "places": [place for place in PLACES if visitor and visitor.actor.may(place.permission)],
        "settings": get_context(request).settings,
    }
    body = environment().get_template(template).render(**frame, **values)
    return HTMLResponse(body, status_code=status)
