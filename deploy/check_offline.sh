#!/usr/bin/env bash
# Prove the offline archive: make it, unpack it, install it into a clean folder with no index and, where that is
# allowed, no network at all, then judge a text and keep one account.   PYTHON: as for make_offline_archive.sh
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(realpath --no-symlinks "${PYTHON:-.venv/bin/python}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

archive=$(PYTHON=$python deploy/make_offline_archive.sh "$work/dist")
offline=()
if unshare --net true 2> /dev/null; then offline=(unshare --net); fi
tar -C "$work" -xzf "$archive"
cd "$work/$(basename "$archive" .tar.gz)"
PYTHON=$python "${offline[@]}" sh install.sh "$work/opt" > /dev/null

cd "$work"
export PETITION_DATABASE_URL=sqlite:///$work/petition.sqlite3
petition=("${offline[@]}" "$work/opt/bin/petition")
"$work/opt/bin/python" -c "import nlp, psycopg; assert nlp.__file__.startswith('$work'), nlp.__file__"
if "$work/opt/bin/python" -c 'import torch' 2> /dev/null; then echo 'torch came along' >&2; exit 1; fi
"${petition[@]}" classify --json '小区东门外的烧烤店每晚油烟直排，噪声到凌晨两点，请依法查处。' > answer.json
grep -q '"predictions"' answer.json
"${petition[@]}" user add wang.fang --role clerk > /dev/null
"${petition[@]}" backup save copy.sqlite3 > /dev/null
"${petition[@]}" audit verify

echo x >> "$work/$(basename "$archive" .tar.gz)/petition.service"
if sh "$work/$(basename "$archive" .tar.gz)/install.sh" "$work/never" > /dev/null 2>&1; then
  echo 'a damaged archive was installed' >&2; exit 1
fi
echo "offline: $(basename "$archive"), $(du -h "$archive" | cut -f1), installs and judges${offline:+ without network}"
