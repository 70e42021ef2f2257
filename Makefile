# safecity: two commands do all the set-up: make demo, make test.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
ULTRALYTICS := .venv-ultralytics
SYSTEM_PACKAGES := libgl1 gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-good gstreamer1.0-plugins-bad \
	chromium prometheus kcat postgresql systemd gcc libc6-dev

.PHONY: help demo test test-ultralytics chaos lint generate clean
.DEFAULT_GOAL := help

help:  ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

demo: $(VENV)/.runtime  ## Cameras, worker and command centre on this machine; Ctrl-C ends them
	@$(BIN)/safecity demo

test: $(VENV)/.dev system-packages lint  ## Install what the tests need, and run them all
	@$(BIN)/pytest -n 2 --dist loadfile  # most of them wait for real processes: two at a time

test-ultralytics: $(ULTRALYTICS)/.dev  ## Export from ultralytics (AGPL-3.0), and all backends; a venv of its own, 6 GB
	@YOLO_AUTOINSTALL=false $(ULTRALYTICS)/bin/pytest tests/ultralytics tests/detectors/test_backends.py

chaos: $(VENV)/.dev system-packages  ## Faults on purpose: make chaos SEEDS=20 FIRST=1; root, or user namespaces
	@$(BIN)/python -m tests.chaos --first $(or $(FIRST),1) --seeds $(or $(SEEDS),5)

lint: $(VENV)/.dev  ## Style, types and architecture
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

generate: $(VENV)/.dev  ## Write the schemas and the reference from the code
	@$(BIN)/python docs/generate.py

clean:  ## Remove what make has made
	rm -rf $(VENV) $(ULTRALYTICS) .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: system-packages
system-packages:
	@deploy/system-packages $(SYSTEM_PACKAGES)

$(VENV)/.created $(ULTRALYTICS)/.created:
	@[ -n "$(PYTHON)" ] && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "safecity needs Python 3.11 or later; install it, or give it: make demo PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -m venv $(@D) \
		|| { echo "Python has no venv module here; on Debian: apt-get install python3-venv"; rm -rf $(@D); exit 1; }
	@touch $@

$(VENV)/.runtime: $(VENV)/.created pyproject.toml
	@echo "Installing safecity into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[analysis]'
	@deploy/system-packages --only-if-missing-libgl $(BIN)/python libgl1
	@touch $@

$(VENV)/.dev: $(VENV)/.created pyproject.toml
	@echo "Installing safecity and what its tests need into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,postgres]'
	@touch $@

$(ULTRALYTICS)/.dev: $(ULTRALYTICS)/.created pyproject.toml
	@echo "Installing safecity with ultralytics (AGPL-3.0) and PyTorch into $(ULTRALYTICS) …"
	@$(ULTRALYTICS)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[ultralytics,openvino,test]'
	@touch $@
