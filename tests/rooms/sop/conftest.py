from __future__ import annotations

from pathlib import Path

import pytest

from tests.rooms.sop.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def bare(desk: Desk) -> Desk:
    """A desk on which only what a test writes is checked: the starter's scripts are gone."""
    for path in (desk.root / "sop").glob("*.sop.yaml"):
        path.unlink()
    return desk
