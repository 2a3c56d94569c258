# 知邻 (Zhilin). Needs make and Python 3.11 or later; everything else is put into .venv.
.POSIX:
.SUFFIXES:
.PHONY: help demo test check check-fast format faults bench lock clean

VENV = .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.stamp
# Name another interpreter with `make PYTHON=/path/to/python3 demo`.
PYTHON = python3.13

help: ## 列出这些命令
	@sed -n 's/^\([a-z-]*\):.* ## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

demo: $(STAMP) ## 装好一切，打开演示：客户、社群、客户经理和一个可以拨动的钟
	@$(BIN)/zhilin demo

test: $(STAMP) ## 装好一切，跑全部测试
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: check-fast test ## 格式、静态检查、类型、分层约定，再加全部测试

check-fast: $(STAMP) ## 同上，不跑测试
	@echo '检查格式…'
	@$(BIN)/ruff format --check --quiet .
	@echo '静态检查…'
	@$(BIN)/ruff check --quiet .
	@echo '检查类型…'
	@$(BIN)/mypy
	@echo '检查分层约定…'
	@$(BIN)/lint-imports

format: $(STAMP) ## 整理代码格式，改掉能自动改的问题
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

faults: $(STAMP) ## 断电一百次、数据库倒下、磁盘写满、时钟乱跳……数一数丢了几条、重了几条
	@BOT_TEST_FAULTS=full $(BIN)/python -m pytest tests/faults tests/channels/test_callback_fuzz.py

bench: $(STAMP) ## 量一量：回调、回答、重启、演示故事各要多久
	@$(BIN)/zhilin bench

migration: $(STAMP) ## 依改过的表写出下一个迁移：make migration M="add a column"
	@$(BIN)/python -m bot.storage.migrate "$(M)"

lock: $(STAMP) ## 依 pyproject.toml 重做 requirements.lock(已锁的版本尽量不动)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check uv
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links \
		--quiet --output-file requirements.lock
	@echo 'requirements.lock 已重做。'

clean: ## 删掉 .venv、缓存和打包结果；data/ 里的数据不动
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	@find bot tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements.lock pyproject.toml
	@set -e; \
	fits='import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))'; \
	if ! $(BIN)/python -c "$$fits" >/dev/null 2>&1; then \
		found=; \
		for python in "$(PYTHON)" python3.13 python3.12 python3.11 python3; do \
			if "$$python" -c "$$fits" >/dev/null 2>&1; then found=$$python; break; fi; \
		done; \
		if [ -z "$$found" ]; then \
			echo '没有找到带 venv 模块的 Python 3.11 或更新版本：请先装好它(Debian、Ubuntu 上是 apt-get install python3 python3-venv),再运行一次。' >&2; \
			exit 1; \
		fi; \
		echo "用 $$("$$found" --version) 建立 $(VENV)…"; \
		rm -rf $(VENV); \
		"$$found" -m venv $(VENV); \
	fi
	@echo '安装依赖，第一次要几分钟…'
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --no-deps -e .
	@touch $(STAMP)
	@echo '装好了。'
