#!/bin/sh
# A Chromium for the browser tests: the one that is there, else Debian's, else Playwright's own.
set -eu
for each in "${TWIN_TEST_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    if [ -n "$each" ] && command -v "$each" >/dev/null 2>&1; then
        echo "Browser for the tests: $(command -v "$each")"
        exit 0
    fi
done
if command -v apt-get >/dev/null 2>&1; then
    as_root=""
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    echo "The browser tests need Chromium: installing the system packages chromium and fonts-noto-cjk (apt-get) …"
    if $as_root apt-get update -qq \
        && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends \
            chromium fonts-noto-cjk >/dev/null; then
        exit 0
    fi
fi
echo "No system package: trying Playwright's own Chromium …"
if .venv/bin/playwright install chromium; then
    exit 0
fi
echo "The browser tests need Chromium and it could not be installed: install it (Debian: apt-get install chromium)," >&2
echo "or set TWIN_TEST_CHROMIUM to a Chromium or Chrome, then run make test again." >&2
exit 1
