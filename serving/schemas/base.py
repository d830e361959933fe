"""What all wire types share."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field


def _no_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("the character U+0000 is not allowed")
    return value


Clean = Annotated[str, AfterValidator(_no_nul)]
"""A string that both databases can keep: PostgreSQL knows no U+0000."""


def _no_bare_number(value: object) -> object:
    if isinstance(value, int | float) or (isinstance(value, str) and re.fullmatch(r"[-+.0-9eE]*", value)):
        raise ValueError("a moment is written out with its zone, such as 2026-03-02T09:00:00+08:00")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_no_bare_number)]
"""A moment as RFC 3339 writes it; a bare number, which would be read as seconds since 1970, is refused."""


class Wire(BaseModel):
    """A request or an answer: unknown members are refused, names are exactly these."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProblemOut(BaseModel):
    """RFC 9457 problem details; every refusal of the API has this shape."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "type": "urn:petition-router:problem:queue_full",
                "title": "请求过多",
                "status": 429,
                "code": "queue_full",
                "detail": "研判队列已满，请在 1 秒后重试。",
                "instance": "/v1/classify",
                "request_id": "5f0c9f0f6b1d4c11",
            }
        },
    )

    type: str
    title: str
    status: int
    code: str = Field(description="Stable English code of the refusal.")
    detail: str = Field(description="Chinese sentence for the reader.")
    instance: str
    request_id: str
    errors: list[dict[str, Any]] | None = Field(None, description="Single faults of a 422: at, rule, message.")


PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Refused",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}},
    }
}
"""Added to every operation: any answer that is not listed is a problem."""
