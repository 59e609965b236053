# One recipe list for people, hooks and CI. Everything lives in .venv, .ledger-cache and .ledger of this folder.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
PROTOS := $(shell find protos/ledger -name '*.proto' 2>/dev/null | sort)
GENERATED := ledger/api/v1

.PHONY: help setup lock proto proto-check kafka check format types test demo up clean

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: .venv/.project ## .venv from the hashed lock, then the project itself
.venv/.lock: requirements/dev.lock .ci/setup
	@.ci/setup
	@touch $@
.venv/.project: .venv/.lock pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@
