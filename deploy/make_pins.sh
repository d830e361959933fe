#!/usr/bin/env bash
# Write constraints.txt: the versions that a fresh install of everything gets today.   deploy/make_pins.sh [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${1:-python3}" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[train,postgres,telemetry,dev]'
{
  echo '# Exact versions of everything the program, its training and its tests use; `make pins` writes this file anew.'
  # torch's CPU build calls itself 2.13.0+cpu: pinned so, it could not be had where only the plain one is.
  "$work/venv/bin/python" -m pip freeze --all --exclude pip --exclude-editable | sed 's/+cpu$//'
} > "$work/constraints.txt"
mv "$work/constraints.txt" constraints.txt
