"""What made an artefact: resolved settings, git revision, hashes of the data and weights it began with, machine.

A run folder belongs to the settings it was begun with, so that a figure never stands beside settings of another run.
"""

import hashlib
import json
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.settings import RecipeError, as_plain, build

_DATA = ("*.csv", "*.jsonl")
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


def claim(run: Path, settings: Any) -> None:
    """Write the settings into a fresh folder; refuse a folder that was begun with others.

    Settings that a run does not know because they are younger count as their defaults. Raises RecipeError naming what
    differs.
    """
    path, wanted = run / "settings.json", as_plain(settings)
    if not path.exists():
        run.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(wanted, ensure_ascii=False, sort_keys=True, indent=1))
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(f"cannot read the settings of an earlier run: {path}: {error}") from error
    begun = as_plain(build(type(settings), values, source=str(path)))
    if others := [f"{key} {begun[key]!r}, now {wanted[key]!r}" for key in wanted if begun[key] != wanted[key]]:
        raise RecipeError(
            f"{run} was begun with other settings ({'; '.join(others)}); use another folder or the old settings"
        )


def write_text(path: Path, text: str) -> None:
    """Write a file at once or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def write_provenance(folder: Path, settings: Any, *, inputs: Mapping[str, Path]) -> None:
    """Write `provenance.json` into `folder`: settings, revision, input hashes and the machine."""
    record = {
        "settings": as_plain(settings),
        "revision": revision(),
        "inputs": {name: hash_path(path) for name, path in inputs.items()},
        "machine": {"processor": platform.processor() or platform.machine(), "python": platform.python_version()},
    }
    (folder / "provenance.json").write_text(json.dumps(record, ensure_ascii=False, indent=2), encoding="utf-8")


def revision() -> str:
    """Return the git revision of the working tree, `+` appended if it has uncommitted changes, or "unknown"."""
    try:
        return subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12"],  # noqa: S607
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def hash_path(path: Path) -> str:
    """Return a short SHA-256 of a file, or of the names and contents of a folder's data and weights.

    Data are CSV and JSON lines files, weights what `_WEIGHTS` names. Raises RecipeError if there are none.
    """
    digest = hashlib.sha256()
    files = [path] if path.is_file() else sorted(file for kind in (*_DATA, *_WEIGHTS) for file in path.glob(kind))
    if not files:
        raise RecipeError(f"{path} holds neither data ({', '.join(_DATA)}) nor weights ({', '.join(_WEIGHTS)})")
    for file in files:
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
