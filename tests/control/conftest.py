"""A desk: a fake operator and its real control socket."""

from pathlib import Path

import pytest
import trio

from crowdd.daemon.control import serve_control

from .fakes import STAFF, Desk, FakeOperator


@pytest.fixture
async def desk(tmp_path: Path, nursery: trio.Nursery) -> Desk:
    operator = FakeOperator()
    operator.scratch = tmp_path / "scratch"
    nursery.start_soon(operator.errands.serve)
    path = await nursery.start(serve_control, operator, tmp_path / "control", STAFF)
    return Desk(operator, path)
