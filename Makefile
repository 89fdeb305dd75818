# Two commands: `make demo` runs the main job, `make test` passes all checks. Each sets up what it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= demo
WORKERS ?= 2

.PHONY: demo test check format benchmark benchmark-peers clean

demo: $(VENV)/.installed
	@$(BIN)/betapod demo --out $(OUT)

# What Python and pytest make of sources is kept beside them: it is made once, on the core that mypy leaves idle, and not by each worker.
# Workers share the cores: threads of linear algebra within each would only wait for each other.
test: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest -q --collect-only >/dev/null & $(MAKE) --no-print-directory check; checked=$$?; wait; exit $$checked
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/start.py

# Other simulators live in an environment of their own, outside the repository.
# numbalsoda needs gfortran to build; AMICI needs swig and a C++ compiler.
PEERS ?= $(HOME)/.cache/betapod/peers

benchmark-peers: $(VENV)/.installed-dev $(PEERS)/.installed
	$(BIN)/python benchmarks/peers/run.py --peers $(PEERS)/bin/python --out benchmarks/results/peers.md

$(PEERS)/.installed: benchmarks/peers/requirements.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/peers/requirements.txt
	@touch $@

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	@echo "installing betapod and what it needs into $(VENV): about a minute"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[plot,evidence]"
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	@echo "installing betapod and the tools of its tests into $(VENV): a few minutes"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) $(OUT) .pytest_cache .mypy_cache .ruff_cache .hypothesis
