#!/bin/sh
# The letters that nearly every page of ours needs, cut from Inter: what is downloaded before anything is read (15 KB
# instead of 48 KB). The rest of Inter is fetched only by pages that show it (viewer/web/src/app/fonts.css).
# Run where fontTools and brotli are installed: `sh scripts/font.sh`; the result is kept in the repository.
set -eu
cd "$(dirname "$0")/../viewer/web"
whole=$(mktemp)
fonttools varLib.instancer node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2 wght=400:700 \
    -o "$whole"
pyftsubset "$whole" --flavor=woff2 --output-file=src/app/fonts/inter-text.woff2 \
    --layout-features=kern,tnum,ccmp,locl,mark,mkmk,rvrn \
    --unicodes=U+0020-007E,U+00A0,U+00B0,U+00B1,U+00B2,U+00B3,U+00B7,U+00D7,U+2013,U+2014,U+2018,U+2019,U+201C,U+201D,U+2026,U+2212
rm "$whole"
