"""What is told of the model and the label systems."""

from typing import Any

from nlp.petition import Head
from serving.schemas.base import Wire


class LabelOut(Wire):
    """One label of a head."""

    code: str
    name: str
    parent: str
    aliases: list[str]


class TaxonomyOut(Wire):
    """Every label of the version in service."""

    version: str
    heads: dict[Head, list[LabelOut]]


class ModelOut(Wire):
    """The bundle in service."""

    bundle_id: str
    taxonomy_version: str
    card: str
    metrics: dict[str, Any]
    thresholds: dict[str, Any]


class ReloadIn(Wire):
    """Which bundle to serve."""

    bundle: str | None = None


class ReloadOut(Wire):
    """Which bundle serves now."""

    bundle_id: str


class StateOut(Wire):
    """Whether the server lives, or takes petitions."""

    status: str
    detail: str = ""
