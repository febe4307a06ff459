#!/bin/sh
# The committed browser bundle is what its sources build, byte for byte.

cd "$(dirname "$0")/../.." || exit 2
echo 1..1
if out=$(make --no-print-directory web-compare 2>&1); then
	echo "ok 1 - server/web/dist is what server/web/src builds"
else
	echo "not ok 1 - server/web/dist is what server/web/src builds"
	printf '%s\n' "$out" | sed 's/^/# /'
fi
