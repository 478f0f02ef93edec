# The five targets. `make demo` and `make test` set up everything they need; a second run installs nothing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
TEST_PROCESSES ?= 2
LOCKS := requirements/cpu.lock requirements/models.lock requirements/cpu.hashes

.PHONY: setup demo test quality clean

setup: $(STAMP)

$(STAMP): $(LOCKS) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.11 setup"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/cpu.hashes
	@# torch by itself: its default build brings CUDA libraries that a lock without them would miss. It has no hash, as
	@# one version's wheel differs from index to index.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-warn-conflicts -c requirements/cpu.lock \
	  $$(grep '^torch==' requirements/cpu.lock)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: setup
	$(BIN)/python -m ray_jobs.pipeline --config configs/demo.yaml

# Two processes: one runs all files that start engines (tests/conftest.py), the other the rest, a file at a time.
test: setup
	$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

quality: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) runs
