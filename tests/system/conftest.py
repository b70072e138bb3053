"""Real daemons for system tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .processes import Daemon


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that is not started yet; it and its routers are ended at the end."""
    daemon = Daemon(tmp_path / "data")
    try:
        yield daemon
    finally:
        daemon.clean_up()
