"""Real daemons, and a real systemd, for system tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .installing import install, lay_out
from .machine import ROUTER, Machine, boot, own_cgroup, why_not
from .processes import Daemon


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that is not started yet; it and its routers are ended at the end."""
    daemon = Daemon(tmp_path / "data")
    try:
        yield daemon
    finally:
        daemon.clean_up()


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Machine, str]]:
    """A booted systemd with crowdd installed, and what its installation said; one for all tests."""
    reason = why_not()
    if reason:
        assert not os.environ.get("CI"), f"no systemd can be booted on the machine that must: {reason}"
        pytest.skip(f"THE UNITS ARE NOT TESTED HERE: {reason}")
    payload = tmp_path_factory.mktemp("payload")
    prefix = lay_out(payload)
    with own_cgroup() as cgroup, boot(tmp_path_factory.mktemp("machine"), cgroup, payload, prefix) as machine:
        yield machine, install(machine)


@pytest.fixture
def machine(installed: tuple[Machine, str]) -> Machine:
    """The booted systemd."""
    return installed[0]


@pytest.fixture
def running(machine: Machine) -> Machine:
    """The machine with the daemon at work, which may have been so before."""
    machine.fresh()
    return machine


@pytest.fixture
def with_router(running: Machine) -> Iterator[Machine]:
    """The machine with the router at work beside the daemon; stopped again at the end."""
    running.fresh(ROUTER)
    yield running
    running.run("systemctl", "stop", "crowdd-router.socket", ROUTER)
