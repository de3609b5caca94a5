# Gristmill: `make demo` shows the whole idea, `make test` proves it. Needs Python ≥ 3.11 and make; the virtual
# environment is made on first use. Node.js, where there is one, also runs the JavaScript clients' tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
NPM_CLIENTS := tests/clients/node_modules/.package-lock.json
# A client under test whose packages share a name with another's: it has an environment of its own.
ASYNC := .venv-async
ASYNC_LOCK := tests/clients/requirements-async.lock

# The tests of a file stay together, since they share a node or a chain. Files start in their order: by the number of
# tests, as xdist would do, the longest would come last.
ALL_CORES := -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder

# Where PYTHONDONTWRITEBYTECODE is set, Python would compile all of these whenever a process starts: half a second.
PACKAGES := primitives frame pallets runtime chain_spec executor node client cli tests benchmarks

.PHONY: help install bytecode demo test check format bench weights agree soak lock clean

help: ## list what make can do
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Gristmill needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/pyvenv.cfg
	@echo "installing what the node and the enclave need into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "installing what the tests need into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

$(NPM_CLIENTS): tests/clients/package-lock.json
	@if command -v npm >/dev/null; then echo "installing the JavaScript clients …" && cd tests/clients && npm ci --silent --no-fund --no-audit; \
	else echo "no npm here: tests of JavaScript clients will be skipped"; fi

$(ASYNC)/.ready: $(ASYNC_LOCK)
	@echo "installing async-substrate-interface into $(ASYNC) …"
	@$(PYTHON) -m venv $(ASYNC)
	@$(ASYNC)/bin/python -m pip --disable-pip-version-check -q install --require-hashes -r $(ASYNC_LOCK)
	@touch $@

bytecode: $(VENV)/.run
	@$(BIN)/python -m compileall -q $(PACKAGES)

install: bytecode ## make the virtual environment with the locked versions

demo: bytecode ## boot a chain, rent out real data, train in the enclave, bring the weights back
	@$(BIN)/gristmill demo

test: $(VENV)/.dev $(NPM_CLIENTS) bytecode ## run every test
	@$(MAKE) -s $(ASYNC)/.ready || echo "async-substrate-interface cannot be installed here: its tests will be skipped"
	@$(BIN)/python -m pytest $(ALL_CORES)

soak: $(VENV)/.dev $(NPM_CLIENTS) bytecode ## run the long tests: crashes and fuzzing, for hours
	@$(BIN)/python -m pytest -m soak --timeout=14400
	@$(BIN)/python -m pytest -m 'hypothesis and not soak' --hypothesis-profile=explore --timeout=14400

check: $(VENV)/.dev ## lint, formatting and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.dev ## put the code into its standard form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/.dev bytecode ## measure, print ratios against peers, write benchmarks/results.json
	@$(BIN)/python -m benchmarks

weights: $(VENV)/.dev ## measure all weights anew, on an idle machine (40 minutes): weights.py, out/weights.html
	@mkdir -p out
	$(BIN)/gristmill benchmark machine --record
	$(BIN)/gristmill benchmark storage
	$(BIN)/gristmill benchmark overhead
	$(BIN)/gristmill benchmark pallet --pallet '*' --extrinsic '*' --steps 50 --repeat 20 > out/weights.txt
	@$(BIN)/ruff format --check pallets runtime frame
	@$(BIN)/python -c 'from runtime import runtime; runtime().require_weights(); print("The runtime has all its weights.")'
	$(BIN)/gristmill benchmark worst-case --output out/worst.json; worst=$$?; \
	$(BIN)/gristmill benchmark pallet --pallet '*' --extrinsic '*' --steps 20 --repeat 10 --output out/weights \
		--report out/weights.html --worst-case out/worst.json > out/weights-again.txt && exit $$worst

agree: $(VENV)/.dev ## do three whole measurements of weights agree with three others? (12 minutes)
	@mkdir -p out
	@for run in 1 2 3 4 5 6; do \
		$(BIN)/gristmill benchmark pallet --pallet '*' --extrinsic '*' --steps 20 --repeat 10 --output - --json \
			> out/run-$$run.json || exit 1; done
	@$(BIN)/python -m benchmarks.weights_agree out/run-?.json

# The node is tested with the versions that it runs with: what the tests' set pins, its own set takes over.
lock: | $(VENV)/pyvenv.cfg ## pin the newest versions that pyproject.toml admits
	@$(PIP) install 'uv>=0.9'
	@echo 'setuptools>=77' > $(VENV)/build.in
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --custom-compile-command "make lock" --extra dev -o requirements-dev.lock pyproject.toml $(VENV)/build.in
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --custom-compile-command "make lock" -c requirements-dev.lock -o requirements.lock pyproject.toml $(VENV)/build.in
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-annotate --custom-compile-command "make lock" -o $(ASYNC_LOCK) tests/clients/requirements-async.in

clean: ## remove the virtual environment and what the tools left
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis out build dist tests/clients/node_modules $(ASYNC)
