"""`crowdd serve` over the memory body of storage: what everything but storage costs. Nothing survives it.

A program of its own, and no option of crowdd: nobody is to run their work like this by mistake.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from crowdd.cli import crowdd
from crowdd.daemon import opening
from crowdd.storage.contract import Storage
from crowdd.storage.opening import open_storage


@asynccontextmanager
async def _open_in_memory(path: Path | None, **hears: Any) -> AsyncGenerator[Storage]:
    async with open_storage(None) as storage:
        yield storage


if __name__ == "__main__":
    with patch.object(opening, "open_storage", _open_in_memory):
        crowdd()
