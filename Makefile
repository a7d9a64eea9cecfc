# Everything a user or a developer runs. Each target may be run again at any time; what is done is skipped.
PY := .venv/bin/python
HUNT := .venv/bin/package-hunter
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: help demo demo-server test setup setup-run lint bench corpus eval grammar repeat cases recordings fuzz any-request faults deploy-try lock clean machine-try pages

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup-run:
	@scripts/setup.sh run

setup: ## Install what is missing (system packages, Python packages, probe, image)
	@scripts/setup.sh dev

demo: setup-run ## Scan a bundled project that misbehaves, print the report, and re-enact three known attacks
	@echo "==> Scanning simulations/falco-test" >&2
	@$(SUDO) $(HUNT) scan simulations/falco-test --exit-zero
	@echo "==> Simulating three known attacks" >&2
	@$(SUDO) $(HUNT) simulate --quiet eslint-scope registry-worm docker-socket

demo-server: setup-run ## A server with people, real scans of the simulations and what a team decides about them (ARGS="--port 3001", --fresh)
	@$(SUDO) $(PY) -m ci.demo_server $(ARGS)

test: setup ## Set up, then run all tests: three files at a time (scans wait a lot); those that fork, flood and measure, alone
	@$(SUDO) $(PY) -m pytest -q -n 3 --dist loadfile --ignore=tests/integration
	@$(SUDO) $(PY) -m pytest -q -n 3 --dist loadfile tests/integration/service
	@$(SUDO) $(PY) -m pytest -q --ignore=tests/integration/service tests/integration

lint: setup ## Style, types, import directions, dead code
	@.venv/bin/ruff check src tests
	@.venv/bin/ruff format --check src tests
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/vulture

bench: setup ## Measure the budgets of docs/architecture.md on this machine
	@$(SUDO) $(PY) -m tests.bench

eval: setup ## Detection and false accusations, beside GuardDog (long)
	@$(SUDO) $(PY) -m ci.eval $(ARGS)

corpus: setup ## Projects and packages that are not ours, installed bare and in the box (hours; goes on where it stopped)
	@$(SUDO) $(PY) -m ci.corpus $(ARGS)

grammar: setup ## Generated attacks and their honest siblings; what is missed, by factor (long; COUNT=, SEED=, ARGS=--resume)
	@$(SUDO) nice $(PY) -m ci.grammar --count $(or $(COUNT),500) --seed $(or $(SEED),40) $(ARGS)

repeat: setup ## Five simulations scanned ten times each say the same (long)
	@$(SUDO) nice $(PY) -m ci.repeat $(ARGS)

cases: setup ## Every small input of ../shared/cases is judged as it must be (long)
	@$(SUDO) env PACKAGE_HUNTER_ALL_CASES=1 $(PY) -m pytest -q tests/acceptance/cases tests/acceptance/scan/test_corpus.py

pages: setup ## Every page in a browser: journeys, roles, hostile text, accessibility (a quarter of an hour)
	@$(SUDO) env PACKAGE_HUNTER_ALL_PAGES=1 $(PY) -m pytest -q tests/acceptance/pages

recordings: setup ## Ten scans, recorded and replayed to the same alerts
	@$(SUDO) env PACKAGE_HUNTER_ALL_RECORDINGS=1 $(PY) -m pytest -q tests/acceptance/recordings

fuzz: setup ## Fuzz the parsers (long)
	@$(PY) -m pytest -q -o addopts=--import-mode=importlib tests/fuzz

any-request: setup ## Send the API many requests that its description allows, or just not, as every role (long)
	@ANY_REQUESTS=$${REQUESTS:-100000} $(PY) -m pytest -q tests/acceptance/service/test_any_request.py

faults: setup ## Faults of every kind while scans run, counted into docs/faults.md (hours; ARGS="--only ROW", --quick, --resume)
	@$(SUDO) nice $(PY) -m ci.faults $(ARGS)

deploy-try: setup ## Start the containers, scan, kill a worker, take them down and up, measure (docker; long)
	@$(SUDO) $(PY) deploy/try.py $(ARGS)

machine-try: setup ## Boot the systemd units in an emulated machine, scan there (QEMU, Debian; slow, no network in it)
	@$(SUDO) nice $(PY) deploy/machine/try.py $(ARGS)

lock: ## Renew requirements/*.txt (needs uv)
	@scripts/lock.sh

clean: ## Remove what the build left in this folder
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache
