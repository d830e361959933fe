"""The label systems and the bundle in service, and replacing the bundle."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends

from serving.access import Allowed
from serving.context import Ctx
from serving.errors import Problem
from serving.roles import Actor
from serving.schemas.model import LabelOut, ModelOut, ReloadIn, ReloadOut, TaxonomyOut
from serving.settings import Settings
from serving.store import audit

router = APIRouter(prefix="/v1", tags=["model"])

Reader = Annotated[Actor, Depends(Allowed("describe_model", open_by="open_classify"))]
Maintainer = Annotated[Actor, Depends(Allowed("reload_model"))]

_BUNDLE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@router.get("/taxonomy", summary="当前分类体系")
def taxonomy(context: Ctx, _: Reader) -> TaxonomyOut:
    """Return every label of every head in the version in service."""
    book = context.host.labels
    return TaxonomyOut(
        version=book.version,
        heads={
            head: [
                LabelOut(code=label.code, name=label.name, parent=label.parent, aliases=list(label.aliases))
                for label in labels
            ]
            for head, labels in book.heads.items()
        },
    )


@router.get("/model", summary="当前模型包")
def model(context: Ctx, _: Reader) -> ModelOut:
    """Return the id, card, figures and thresholds of the bundle in service."""
    classifier = context.host.classifier
    bundle = classifier.bundle
    return ModelOut(
        bundle_id=bundle.id,
        taxonomy_version=context.host.labels.version,
        card=bundle.card,
        metrics=dict(bundle.metrics),
        thresholds=asdict(classifier.thresholds),
    )


@router.post("/model/reload", summary="切换模型包")
def reload(body: ReloadIn, context: Ctx, actor: Maintainer) -> ReloadOut:
    """Verify, warm up and serve another bundle without dropping a request; a bad one changes nothing.

    `bundle` names a folder in PETITION_BUNDLES_DIR; without it the configured bundle is read again.
    """
    bundle_id = context.host.reload(_folder(context.settings, body.bundle))
    with context.store.write() as session:
        audit.append(session, actor=actor, action="model.reloaded", subject="model", detail={"bundle": bundle_id})
    return ReloadOut(bundle_id=bundle_id)


def _folder(settings: Settings, name: str | None) -> Path | None:
    if name is None:
        return settings.bundle
    if settings.bundles_dir is None:
        raise Problem(422, code="no_bundles_dir", detail="没有设置 PETITION_BUNDLES_DIR，只能重新加载当前模型包。")
    if not _BUNDLE_NAME.fullmatch(name) or not (settings.bundles_dir / name).is_dir():
        raise Problem(422, code="unknown_bundle", detail="模型包目录中没有这个名字的模型包。")
    return settings.bundles_dir / name
