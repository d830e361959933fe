"""Read the packaged label systems and check them; every fault is reported at once."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from nlp.errors import TaxonomyError
from nlp.taxonomy.overlay import apply_overlay, read_overlay
from nlp.taxonomy.records import Category, Channel, Department, Nature, Neighbour, Subcategory, Taxonomy

_FILES = ("categories.yaml", "natures.yaml", "channels.yaml", "departments.yaml")


def load_taxonomy(overlay: Path | None = None, *, on: date | None = None) -> Taxonomy:
    """Return the standard label systems, with an office's `overlay` as it holds `on` a day (default: today).

    Raises TaxonomyError listing every fault.
    """
    standard = _standard()
    if overlay is None:
        return standard
    return apply_overlay(standard, read_overlay(overlay, standard), on=on or date.today())


@lru_cache(maxsize=1)
def _standard() -> Taxonomy:
    texts = {name: resources.files("nlp.taxonomy").joinpath(name).read_text(encoding="utf-8") for name in _FILES}
    digest = hashlib.sha256("".join(texts[name] for name in _FILES).encode()).hexdigest()[:12]
    raw = {name: yaml.safe_load(text) for name, text in texts.items()}
    directory = raw["departments.yaml"]
    taxonomy = Taxonomy(
        categories=tuple(_category(entry) for entry in raw["categories.yaml"]),
        natures=tuple(Nature(**entry) for entry in raw["natures.yaml"]),
        channels=tuple(_channel(entry) for entry in raw["channels.yaml"]),
        departments=tuple(_department(entry) for entry in directory["departments"]),
        content_hash=digest,
    )
    special = {entry["code"] for entry in directory["special_targets"]}
    if faults := check(taxonomy, special_targets=special):
        raise TaxonomyError("nlp/taxonomy", faults)
    return taxonomy


def check(taxonomy: Taxonomy, *, special_targets: Iterable[str]) -> list[str]:
    """Return every inconsistency of the label systems as one sentence each."""
    faults: list[str] = []
    for head, labels in taxonomy.labels.items():
        faults += [f"{head}: label {label!r} occurs {n} times" for label, n in Counter(labels).items() if n > 1]
    codes = [c.code for c in taxonomy.categories] + [s.code for c in taxonomy.categories for s in c.second_level]
    faults += [f"category code {code!r} occurs {n} times" for code, n in Counter(codes).items() if n > 1]
    natures = {nature.code for nature in taxonomy.natures}
    departments = {department.code for department in taxonomy.departments}
    targets = departments | set(special_targets)
    for channel in taxonomy.channels:
        faults += [f"channel {channel.code}: unknown nature {n!r}" for n in channel.natures if n not in natures]
        faults += [f"channel {channel.code}: unknown handler {h!r}" for h in channel.handlers if h not in targets]
    for department in taxonomy.departments:
        faults += [
            f"department {department.code}: unknown neighbour {near.other!r}"
            for near in department.near
            if near.other not in targets
        ]
        if department.parent is not None and department.parent not in departments:
            faults.append(f"department {department.code}: unknown parent {department.parent!r}")
    return faults


def _category(entry: Mapping[str, Any]) -> Category:
    second_level = tuple(
        Subcategory(code=sub["code"], name=sub["name"], third_level=tuple(sub["third_level"]))
        for sub in entry["second_level"]
    )
    return Category(code=entry["code"], name=entry["name"], second_level=second_level)


def _channel(entry: Mapping[str, Any]) -> Channel:
    return Channel(**{**entry, "handlers": tuple(entry["handlers"]), "natures": tuple(entry["natures"])})


def _department(entry: Mapping[str, Any]) -> Department:
    near = tuple(Neighbour(**neighbour) for neighbour in entry.get("near", ()))
    tuples = {"aliases": tuple(entry.get("aliases", ())), "matters": tuple(entry.get("matters", ())), "near": near}
    return Department(**{**entry, **tuples})
