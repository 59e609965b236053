# One recipe list for people, hooks and CI. Everything lives in .venv, .ledger-cache and .ledger of this folder.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
PYTEST ?= $(BIN)/pytest
# Test files run side by side: most tests wait for real servers. `make test TEST_JOBS=0` runs one after the other.
TEST_JOBS ?= 4
# In the order of the folders, so that the long files begin early and unit tests fill the gaps at the end.
SIDE_BY_SIDE := --numprocesses $(TEST_JOBS) --dist loadfile --no-loadscope-reorder
PEOPLE ?=
NAME ?=
export BUF_CACHE_DIR := $(CURDIR)/.ledger-cache/buf

.PHONY: collected bench bench-peers bench-views bench-growth soak-service soak test-long interop interop-s3 test-store help setup lock proto proto-check kafka format check lint types layers contract test demo up clean

help: ## what there is to make
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: .venv/.project ## .venv from the hashed lock, then the project itself
.venv/.lock: requirements/dev.lock .ci/setup
	@.ci/setup
	@touch $@
.venv/.project: .venv/.lock pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

lock: ## resolve requirements/*.in anew (needs uv)
	@for part in run dev; do (cd requirements && uv pip compile --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -o $$part.lock $$part.in) || exit 1; done

proto: setup ## generate ledger/api/v1 from protos/
	@.ci/proto .
proto-check: setup
	@.ci/proto-check

kafka: setup ## fetch Apache Kafka's jars into .ledger-cache (needs Maven)
	@$(BIN)/python -m ledger.embedded.kafka_jars

format: setup ## put the code into the house's form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

check: setup lint types layers contract proto-check ## every check that needs no server
# Tests rewritten once for the processes that run them side by side, each of which would do it by itself at the same time.
collected: setup
	@$(PYTEST) --collect-only --quiet --ignore tests/interop > /dev/null
lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
types: setup
	$(BIN)/basedpyright
layers: setup
	$(BIN)/lint-imports
contract: setup
	$(BIN)/buf lint
	@.ci/breaking

test: setup ## every test but the long ones, on PostgreSQL and Kafka really started
	@[ "$${LEDGER_TEST_KAFKA:-on}" = off ] || $(MAKE) --no-print-directory kafka
	$(PYTEST) $(SIDE_BY_SIDE) --ignore tests/interop -m "not long"

test-long: setup kafka ## what repeats for minutes on real servers what shorter tests show once
	$(PYTEST) $(SIDE_BY_SIDE) --ignore tests/interop -m long

test-store: setup ## the store suites on the PostgreSQL whose programs lie in LEDGER_TEST_POSTGRES_BIN
	$(PYTEST) $(SIDE_BY_SIDE) -m "not long" tests/contract/store tests/integration/test_embedded_postgres.py tests/integration/store/test_head_lock.py \
	  tests/integration/store/test_migrate.py tests/integration/store/test_stalled_append.py tests/property/test_concurrent_appenders.py

interop: setup ## our logs and our stream before other people's programs, and their logs before ours (needs Go 1.26)
	@[ "$${LEDGER_TEST_KAFKA:-on}" = off ] || $(MAKE) --no-print-directory kafka
	$(PYTEST) tests/interop --ignore tests/interop/s3

interop-s3: setup ## the blob suite on a real S3 server, which is built first (needs Go 1.26; ten minutes or more the first time)
	$(PYTEST) --timeout 2400 tests/interop/s3

soak: setup ## the invariants of the life cycle on 20,000 random lives (about a quarter of an hour)
	LEDGER_SOAK_EXAMPLES=20000 $(PYTEST) --hypothesis-profile=searching --timeout 3600 tests/property/test_whole_lifecycle.py tests/property/test_patient_walks.py \
	  tests/property/test_no_dead_end.py

bench: setup ## the short benchmarks, under 25 minutes on a quiet machine (NAME=append for one; load rows need Go 1.26)
	@$(BIN)/python -m benchmarks $(NAME)

bench-peers: setup ## the same job on other event stores (UmaDB, message-db, Emmett need pip, npm and Node; half an hour)
	@$(BIN)/python -m benchmarks.peers

bench-views: setup ## views beside their upserts, a rebuild from 10^6 events, boards, waiting (LEDGER_BENCH_EVENTS=20000 for a short one)
	@$(BIN)/python -m benchmarks.views

bench-growth: setup ## 10^7 events beside 10^5 (40 GB of disk, hours; LEDGER_BENCH_EVENTS=1000000 for less), 300 hospitals, 295 of them idle
	@$(BIN)/python -m benchmarks.growth; long=$$?; $(BIN)/python -m benchmarks.idle; many=$$?; \
	  if [ $$long = 1 ] || [ $$many = 1 ]; then exit 1; fi; exit $$(( long > many ? long : many ))

soak-service: setup ## memory and open files of the whole service over 20 minutes at 60 % load (LEDGER_SOAK_SECONDS=120 for less)
	@$(BIN)/python -m benchmarks.soak

demo: setup ## the whole path on real input (PEOPLE=300 for a larger run)
	@$(BIN)/ledger demo $(if $(PEOPLE),--people $(PEOPLE))

up: setup ## the whole service until Ctrl-C, on .ledger/up
	@$(BIN)/ledger up

clean: ## remove what was built and fetched; never the data in .ledger
	@rm -rf .venv .ledger-cache build *.egg-info
