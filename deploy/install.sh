#!/bin/sh
# Install from the unpacked offline archive: no network, no compiler, nothing outside the folder.
#     sh install.sh /opt/petition        PYTHON: the interpreter (default python3), of the version in the archive's name
set -eu
target=${1:?usage: sh install.sh FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}

(cd "$here" && sha256sum --check --quiet SHA256SUMS)
"$python" -m venv "$target"
# A pip.conf or PIP_* of the machine could bring in packages from elsewhere: neither is read.
PIP_CONFIG_FILE=/dev/null "$target/bin/python" -m pip --isolated --disable-pip-version-check install --quiet \
  --no-index --find-links "$here/wheels" --upgrade 'petition-router[postgres]'
"$target/bin/petition" --help > /dev/null
echo "$target/bin/petition"
