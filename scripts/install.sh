#!/bin/sh
# Install a lock file into .venv, every file checked against its hash: `install.sh FILE.lock`.
# uv is quick; pip is slower and reads settings (an index, a proxy) that uv may not know of.
set -eu
lock=$1
echo "Installing $lock …"
if .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r "$lock" 2>.venv/uv.log; then
    exit 0
fi
echo "uv could not (see .venv/uv.log), trying pip …"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r "$lock"
