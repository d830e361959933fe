"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Bundle = Annotated[Path | None, typer.Option(envvar="PETITION_BUNDLE", help="模型包目录，默认用自带的。")]
ErrorBudget = Annotated[
    float | None,
    typer.Option(envvar="PETITION_ERROR_BUDGET", help="自动采纳允许的差错率，须是模型包备有的一种，默认用模型包的。"),
]
TaxonomyOverlay = Annotated[
    Path | None, typer.Option(envvar="PETITION_TAXONOMY_OVERLAY", help="本机关的单位目录（YAML），见 docs/labels.md。")
]
KnowledgeOverlay = Annotated[
    Path | None,
    typer.Option(envvar="PETITION_KNOWLEDGE_OVERLAY", help="本机关的口径文件（YAML），见 docs/knowledge.md。"),
]
