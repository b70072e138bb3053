"""The same suite over every body: fixtures `storage` and `world` come three times."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from crowdd.storage import check_store, open_storage
from crowdd.storage.contract import Storage

from .world import World

BODIES = ("memory", "sqlite", "inline")


@pytest.fixture(params=BODIES)
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Storage]:
    path = None if request.param == "memory" else tmp_path / "crowdd.db"
    async with open_storage(path, inline=request.param == "inline") as storage:
        yield storage
    assert path is None or check_store(path) == []


@pytest.fixture
def world(storage: Storage) -> World:
    return World(storage)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "crowdd.db"
