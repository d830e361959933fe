"""Related petitions on the wire."""

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from nlp.elements import ElementType
from nlp.petition import Certainty
from nlp.related import Relation
from serving.schemas.base import Wire
from serving.schemas.petitions import State
from serving.schemas.suggestion import Span

_EXAMPLE: dict[str, Any] = {
    "id": "P260302-7K2M9Q4RXB",
    "items": [
        {
            "id": "P260212-3VNC81TZ0H",
            "received_at": "2026-02-12T01:20:00Z",
            "state": "decided",
            "relation": "near_duplicate",
            "message": "文字大部分相同，可能是重复提交或者同一模板（文字相同约81%，少见词语相同约88%），请人工核对",
            "text_share": 0.813,
            "matter_share": 0.875,
            "came_later": False,
            "news": [{"type": "people", "span": [52, 57], "text": "摔伤三个人"}],
            "news_message": "有1处新的时间、金额、人数、单位或者办理经过，可能有新的事实或者理由，请人工核对",
        }
    ],
    "n_found": 1,
    "campaign": False,
    "message": "发现1件可能相关的来件，请人工核对，不自动合并",
    "basis": "条例36条3款",
    "certainty": "verified",
}


class NewFactOut(Wire):
    """What only the later of two petitions tells; `span` counts in the masked content of that one."""

    type: ElementType
    span: Span
    text: str


class RelatedItemOut(Wire):
    """A petition that may be the same matter. Nothing of its suggestion is told."""

    id: str
    received_at: datetime
    state: State
    relation: Relation
    message: str
    text_share: float = Field(description="文字相同的估计比例，0 到 1。")
    matter_share: float = Field(description="两件共有的少见词语的比例，0 到 1。")
    came_later: bool = Field(description="Whether it was submitted after the petition that was asked about.")
    news: list[NewFactOut]
    news_message: str


class RelatedOut(Wire):
    """What a petition may be the same as; a possibility only, nothing is merged."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    id: str
    items: list[RelatedItemOut] = Field(description="最可信的在前，最多 20 件。")
    n_found: int = Field(description="找到的件数，含没有列出的。")
    campaign: bool = Field(description="五件以上相近，可能是多人反映同一事项。")
    message: str
    basis: str = Field(description="重复信访由人依此条判断。")
    certainty: Certainty | None
