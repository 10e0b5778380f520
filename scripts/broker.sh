#!/bin/sh
# A Mosquitto for the tests of MQTT: the one that is there, else Debian's. Without one those tests are skipped, and say so.
set -eu
for each in mosquitto /usr/sbin/mosquitto /usr/local/sbin/mosquitto /opt/homebrew/sbin/mosquitto; do
    if command -v "$each" >/dev/null 2>&1; then
        echo "Broker for the tests: $(command -v "$each")"
        exit 0
    fi
done
if command -v apt-get >/dev/null 2>&1; then
    as_root=""
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    echo "The MQTT tests need Mosquitto: installing the system package mosquitto (apt-get) …"
    if $as_root apt-get update -qq \
        && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends mosquitto >/dev/null; then
        exit 0
    fi
fi
echo "Mosquitto could not be installed: the MQTT tests will be skipped." >&2
