#!/bin/sh
# A step for any CI system: runs before the pipeline installs anything, as an ordinary user.
# Wants: PACKAGE_HUNTER_SERVER (a URL) and PACKAGE_HUNTER_TOKEN_FILE (or PACKAGE_HUNTER_TOKEN), as secrets of the
# pipeline; package-hunter on PATH, or PACKAGE_HUNTER with its path. Leaves three reports in $REPORTS.
set -eu
: "${PACKAGE_HUNTER_SERVER:?is not set: the address of your Package Hunter server}"
project=${1:-.}
reports=${REPORTS:-package-hunter-reports}
mkdir -p "$reports"

set -- --server "$PACKAGE_HUNTER_SERVER" \
  --format text -o - \
  --format json -o "$reports/package-hunter.json" \
  --format html -o "$reports/package-hunter.html" \
  --format markdown -o "$reports/package-hunter.md"
# The lock file of the branch that this one will be merged into: then only what changed is scanned.
if [ -n "${BASE_LOCK:-}" ]; then set -- "$@" --changed-only "$BASE_LOCK"; fi

code=0
"${PACKAGE_HUNTER:-package-hunter}" scan "$project" --fail-on "${FAIL_ON:-block}" "$@" || code=$?
case $code in
  0) echo "package-hunter: nothing that stops this pipeline." ;;
  1) echo "package-hunter: stop. Read $reports/package-hunter.html before anybody installs this." ;;
  4) echo "package-hunter: the scan could not see everything, so it says nothing in favour." ;;
  *) echo "package-hunter: no scan was made (exit code $code)." ;;
esac
exit "$code"
