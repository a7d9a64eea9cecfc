#!/usr/bin/env bash
# Renews requirements/*.txt: exact versions with hashes and no addresses. Needs uv on PATH.
set -euo pipefail
cd "$(dirname "$0")/.."
lock() { uv pip compile --upgrade --generate-hashes --no-header --no-annotate --python-version 3.11 -q "$@"; }
lock pyproject.toml -o requirements/main.txt
lock requirements/build.in -c requirements/main.txt -o requirements/build.txt
lock requirements/dev.in -c requirements/main.txt -o requirements/dev.txt
# what container images hold: the program with its extras, and the servers that stand in for real ones on trial
lock pyproject.toml requirements/image.in --extra postgres --extra otel -c requirements/main.txt -c requirements/dev.txt \
  -o requirements/server.txt
lock requirements/trial.in -c requirements/dev.txt -c requirements/server.txt -o requirements/trial.txt
! grep -nE 'https?://' requirements/*.txt
