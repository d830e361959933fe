"""What made an artefact: resolved settings, git revision, hashes of the data, machine."""

import hashlib
import json
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.settings import as_plain


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
    """Return a short SHA-256 of a file, or of the names and contents of a folder's CSV and JSON lines files."""
    digest = hashlib.sha256()
    files = [path] if path.is_file() else sorted([*path.glob("*.csv"), *path.glob("*.jsonl")])
    for file in files:
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
