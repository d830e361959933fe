#!/usr/bin/env bash
# Prove the wheel: build it, install it in a clean environment without torch, run every program from another folder and,
# where that is allowed, without any network.   PYTHON: an interpreter that has `build` (default .venv/bin/python).
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
python=$(realpath --no-symlinks "${PYTHON:-.venv/bin/python}")
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT

"$python" -m build --wheel --outdir "$work/dist" . > "$work/build.log" || { cat "$work/build.log"; exit 1; }
wheel=("$work"/dist/*.whl)
"$python" - "${wheel[0]}" <<'EOF'
import re, subprocess, sys, zipfile

names = zipfile.ZipFile(sys.argv[1]).namelist()
tops = sorted({re.sub(r".*\.dist-info$", "*.dist-info", name.partition("/")[0]) for name in names})
assert tops == ["*.dist-info", "nlp", "serving", "training"], f"top level of the wheel: {tops}"
listed = subprocess.run(["git", "ls-files", "nlp", "serving", "training"], capture_output=True, text=True, check=True)
missing = set(listed.stdout.split("\n")) - {""} - set(names)
assert not missing, f"in git, but not in the wheel: {sorted(missing)}"
EOF

"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt "${wheel[0]}"
mkdir "$work/elsewhere" && cd "$work/elsewhere"
bin=$work/venv/bin
"$bin/python" -c 'import importlib.util as u; assert not u.find_spec("torch"), "torch came along"'
"$bin/python" -c "import nlp; assert nlp.__file__.startswith('$work'), nlp.__file__"

offline=()
if unshare --net true 2>/dev/null; then offline=(unshare --net); fi
run() { "${offline[@]}" "$bin/$@"; }

for program in petition petition-train; do run "$program" --help > help.txt; done
if run petition-train pretrain "$root/training/recipes/pretrain-cpu.toml" --run run 2> train.txt; then
  echo 'petition-train ran without torch?'; exit 1
fi
grep -q '\[train\]' train.txt || { echo 'petition-train without [train] does not say what it needs:'; cat train.txt; exit 1; }

text='我们小区东门外的烧烤店每晚油烟直排，噪声到凌晨两点，向街道反映过一次没有结果，请依法查处。'
run petition classify "$text"
run petition classify "$text" --json | "$bin/python" -c 'import json, sys; assert json.load(sys.stdin)["answer"]["predictions"]'
printf '编号,内容\n007,%s\n008,\n' "$text" > in.csv
run petition triage in.csv --out out.csv 2> triage.txt || { cat triage.txt; exit 1; }
grep -q '^008,.*empty_text' out.csv

PETITION_PORT=18765 "$bin/petition" serve 2> serve.txt & server=$!
"$bin/python" - <<'EOF'
import time, urllib.request

deadline = time.monotonic() + 120
while True:
    try:
        assert urllib.request.urlopen("http://127.0.0.1:18765/readyz", timeout=5).status == 200
        break
    except OSError:
        assert time.monotonic() < deadline, "petition serve is not ready after two minutes"
        time.sleep(0.5)
EOF
echo "wheel: $(basename "${wheel[0]}") serves, classifies and triages without torch${offline:+ and without network}"
