#!/bin/sh
# A virtual environment with pip in it and the pinned uv: `venv.sh FOLDER`.
set -eu
venv=$1
requires="import sys; sys.exit(sys.version_info < (3, 11))"

python=""
for each in "${PYTHON:-}" python3.14 python3.13 python3.12 python3.11 python3; do
    if [ -n "$each" ] && command -v "$each" >/dev/null 2>&1 && "$each" -c "$requires" 2>/dev/null; then
        python=$each
        break
    fi
done
if [ -z "$python" ]; then
    echo "Python 3.11 or newer is needed and none was found: install it, or name it with PYTHON=/path/to/python3" >&2
    exit 1
fi

if ! "$python" -c "import ensurepip, venv" 2>/dev/null; then
    # Debian keeps these two in a package of their own.
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        echo "Installing the system package python3-venv (apt-get) …"
        apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
    else
        echo "$python has no venv module: install the system package python3-venv, then run make again" >&2
        exit 1
    fi
fi

if ! "$venv/bin/python" -c "$requires" 2>/dev/null; then
    echo "Making $venv with $("$python" --version) …"
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.lock
