#!/usr/bin/env bash
# Pack everything an office without internet needs into one archive: our wheel with the model in it, the wheels of all
# its dependencies, the installer and the systemd unit.       deploy/make_offline_archive.sh [FOLDER, default dist]
# PYTHON: the interpreter whose version the archive is for (default .venv/bin/python); it fits this platform only.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mkdir -p "${1:-dist}" && realpath "${1:-dist}")
python=$(realpath --no-symlinks "${PYTHON:-.venv/bin/python}")
[ -f nlp/bundles/default/SHA256SUMS ] || { echo 'nlp/bundles/default: no model to pack' >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# `wheel`, not `download`: jieba comes as source, and the office has no compiler and no index to build it from.
"$python" -m pip wheel --quiet --disable-pip-version-check --constraint constraints.txt \
  --wheel-dir "$work/wheels" '.[postgres]' 2> "$work/pip.log" || { cat "$work/pip.log" >&2; exit 1; }
version=$(basename "$work"/wheels/petition_router-*.whl | cut -d- -f2)
tag=$("$python" -c 'import sys, sysconfig; print(f"cp{sys.version_info[0]}{sys.version_info[1]}-{sysconfig.get_platform()}")')
name=petition-router-$version-$tag
mkdir "$work/$name" && mv "$work/wheels" "$work/$name/wheels"
cp deploy/install.sh deploy/petition.service deploy/petition.env.example docs/deployment.md LICENSE "$work/$name/"
(cd "$work/$name" && find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum > SHA256SUMS)
tar -C "$work" --owner=0 --group=0 --sort=name -cf - "$name" | gzip -n -1 > "$work/archive"
mv "$work/archive" "$out/$name.tar.gz"
echo "$out/$name.tar.gz"
