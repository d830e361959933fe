"""What each step of the fine-tuning craft is worth: the same short run with one thing changed at a time.

All variants learn from the same rows with the same seed and are compared on the calibration split, so the test split
stays unseen. The difference of two variants is the mean over the five heads, with a paired bootstrap interval over the
near-duplicate groups. docs/decisions/0008-pretraining-on-two-cores.md says which steps the recipe keeps, and why some
against this table.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from nlp.petition import HEADS
from nlp.taxonomy import Taxonomy, load_taxonomy
from training.classifier import FinetuneSettings, label_arrays, load_run
from training.data import Example, read_examples
from training.finetune import finetune
from training.provenance import claim
from training.settings import RecipeError, build
from training.significance import bootstrap
from training.split import Split, split_examples

BASE = "base"


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """The settings of every variant by name, `base` first; each learns from at most `n_rows` labelled rows."""

    n_rows: int
    variants: Mapping[str, FinetuneSettings]


@dataclass(frozen=True, kw_only=True)
class Draw:
    """What all variants below one folder share beside their settings."""

    n_rows: int


def read_ablation(path: Path, *, data: Path, encoder: Path | None) -> Ablation:
    """Read a TOML file with `n_rows`, a table [base] and one table of changes per variant under [variants].

    A variant that says `encoder = ""` starts from scratch with the tokenizer of `encoder`. Raises RecipeError for
    unknown keys or a missing base.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        base, n_rows = dict(content[BASE]), int(content["n_rows"])
    except (OSError, tomllib.TOMLDecodeError, LookupError, ValueError) as error:
        raise RecipeError(f"cannot read {path}: {error}; n_rows and a table [base] are needed") from error
    base["data"] = data
    if encoder is not None:
        base |= {"encoder": encoder, "tokenizer": encoder / "tokenizer.json"}
    variants: dict[str, FinetuneSettings] = {}
    for name, changes in {BASE: {}, **content.get("variants", {})}.items():
        values = {**base, **changes}
        if values.get("encoder") == "":
            del values["encoder"]
        variants[name] = build(FinetuneSettings, values, source=f"{path}, variant {name}")
    return Ablation(n_rows=n_rows, variants=variants)


def run_ablation(ablation: Ablation, *, out: Path, console: Console) -> Path:
    """Train every variant below `out` and write ablation.json and ablation.md there; a finished variant is kept.

    Raises RecipeError, before anything is trained, if a variant in `out` was begun with other settings.
    """
    claim(out, Draw(n_rows=ablation.n_rows))
    for name, settings in ablation.variants.items():
        claim(out / name, settings)
    taxonomy = load_taxonomy()
    examples = read_examples(ablation.variants[BASE].data, taxonomy)
    dealt = split_examples(examples)
    held = [example for example in dealt["calibration"] if example.labels]
    correct: dict[str, NDArray[np.bool_]] = {}
    for name, settings in ablation.variants.items():
        run = out / name
        if not (run / "provenance.json").exists():
            console.print(f"variant {name}")
            rows = _drawn(dealt["fit"], ablation.n_rows, written=settings.written)
            shares: dict[Split, Sequence[Example]] = {"fit": rows, "calibration": held}
            finetune(settings, run=run, console=console, dealt=shares)
        correct[name] = _correct(run, held, taxonomy)
    compared = compare(correct, [example.group for example in held])
    out.joinpath("ablation.json").write_text(json.dumps(compared, ensure_ascii=False, indent=1), encoding="utf-8")
    table = out / "ablation.md"
    table.write_text(as_markdown(compared), encoding="utf-8")
    return table


def compare(correct: Mapping[str, NDArray[np.bool_]], groups: Sequence[str]) -> list[dict[str, Any]]:
    """Return accuracy per head and mean, and the difference to the base with a 95 % interval, per variant.

    `correct[name]` has shape (rows, heads); `groups` names the near-duplicate group of each row.
    """
    rows = []
    for name, right in correct.items():
        figures: dict[str, float] = {head: round(float(right[:, place].mean()), 4) for place, head in enumerate(HEADS)}
        gain = _gain(right.mean(axis=1) - correct[BASE].mean(axis=1), groups)
        rows.append({"variant": name, **figures, "mean": round(float(right.mean()), 4), **gain})
    return rows


def as_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of `compare` in Markdown."""
    lines = [f"| variant | {' | '.join(HEADS)} | mean | gain over base (95 %) |", "|---|" + "---:|" * (len(HEADS) + 2)]
    for row in rows:
        cells = " | ".join(f"{row[name]:.3f}" for name in (*HEADS, "mean"))
        gain = "" if row["variant"] == BASE else f"{row['gain']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
        lines.append(f"| {row['variant']} | {cells} | {gain} |")
    return "\n".join(lines) + "\n"


def _gain(gains: NDArray[np.float64], groups: Sequence[str]) -> dict[str, float]:
    """Return the mean of `gains` (rows,) with its interval."""
    interval = bootstrap(lambda drawn: float(gains[drawn].mean()), groups).plain()
    return {"gain": interval["value"], "low": interval["low"], "high": interval["high"]}


def _drawn(fit: Sequence[Example], n_rows: int, *, written: bool) -> list[Example]:
    """Return the same rows for every variant: a seeded draw of the labelled ones."""
    labelled = [example for example in fit if example.labels]
    order = np.random.default_rng(0).permutation(len(labelled))[:n_rows]
    return [labelled[row] for row in order if written or labelled[row].source != "written"]


def _correct(run: Path, held: Sequence[Example], taxonomy: Taxonomy) -> NDArray[np.bool_]:
    logits = load_run(run, taxonomy).logits([example.text for example in held])
    truth = label_arrays(held, taxonomy)
    return np.column_stack([logits[head].argmax(1) == truth[head] for head in HEADS])
