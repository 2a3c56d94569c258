"""What holds for every test: only loopback sockets (see pyproject.toml) and a bare environment."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
import structlog

from tests.files_once import files_read_once as files_read_once
from tests.migrated import bank_folder as bank_folder
from tests.migrated import migrated_sqlite as migrated_sqlite
from tests.migrated import tables_at_once as tables_at_once
from tests.models import one_model as one_model
from tests.postgres import migrated_postgres as migrated_postgres
from tests.postgres import postgres_url as postgres_url
from tests.postgres import shared_url as shared_url

_FOR_TESTS = frozenset({"BOT_TEST_CHROMIUM", "BOT_TEST_POSTGRES_URL", "BOT_EVAL_DATA"})
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def pytest_collection_finish() -> None:
    """Take the modules and the tests themselves out of what is searched for garbage again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the settings and proxies of whoever runs the tests, also from started processes."""
    for name in list(os.environ):
        if name.startswith("BOT_") and name not in _FOR_TESTS:
            monkeypatch.delenv(name)
        if name.upper() in _PROXIES:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """Undo what a command run inside this process sets: which lines of the log are told."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)
