"""What goes wrong around the services: hangs, storms, stores and secrets that are not as they should be."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .machine import CROWDCTL, DAEMON, ROUTER, Machine

DATA = "/var/lib/crowdd"
SHORT = ("[Service]", "WatchdogSec=2")
IMPATIENT = ("[Unit]", "StartLimitBurst=2")

pytestmark = pytest.mark.system


# --- FLT14: a process that hangs


@pytest.mark.parametrize("unit", [DAEMON, ROUTER])
def test_flt14_a_service_that_hangs_is_ended_by_the_watchdog_and_started_again(
    with_router: Machine, unit: str
) -> None:
    with with_router.with_drop_in(unit, *SHORT):
        with_router.run("systemctl", "restart", unit)
        before = with_router.show("MainPID", unit)
        with_router.run("kill", f"-{signal.SIGSTOP}", before)
        with_router.restarted(1, unit)
    assert with_router.show("MainPID", unit) != before
    lines = with_router.run("journalctl", "-o", "cat", "--unit", unit)
    assert "Fatal Python error: Aborted" in lines  # with where it hung


def test_flt14_a_service_that_works_outlives_many_limits_of_its_watchdog(with_router: Machine) -> None:
    with with_router.with_drop_in(DAEMON, *SHORT), with_router.with_drop_in(ROUTER, *SHORT):
        with_router.run("systemctl", "restart", DAEMON, ROUTER)
        with_router.run("sleep", "5")
        assert [with_router.show("NRestarts", unit) for unit in (DAEMON, ROUTER)] == ["0", "0"]
    with_router.run("systemctl", "restart", DAEMON, ROUTER)


# --- FLT15: a start storm


def test_flt15_a_daemon_that_cannot_start_is_given_up_and_heals_when_it_is_reset(running: Machine) -> None:
    with running.with_drop_in(DAEMON, "[Service]", "ExecStart=", "ExecStart=/bin/false"):
        running.run("systemctl", "restart", DAEMON, check=False)
        running.until("given up", lambda: running.show("ActiveState") == "failed")
        assert int(running.show("NRestarts")) >= 9
        assert running.refused(CROWDCTL, "--socket", "/run/crowdd/control", "status")
    running.until("given up for good", lambda: running.show("ActiveState") == "failed")
    running.run("systemctl", "reset-failed", DAEMON, "crowdd.socket")
    running.run("systemctl", "start", "crowdd.socket", DAEMON)
    assert running.crowdctl("status")["stopping"] is False


# --- the store


@contextmanager
def another_disk(machine: Machine, options: str) -> Generator[None]:
    """The daemon's folder on a small disk of its own, empty at first; it is stopped before and after."""
    machine.run("systemctl", "stop", "crowdd.socket", DAEMON)
    machine.run("mount", "-t", "tmpfs", "-o", f"mode=700,{options}", "small", DATA)
    machine.run("chown", "crowdd:crowdd", DATA)
    try:
        yield
    finally:
        machine.run("systemctl", "stop", "crowdd.socket", DAEMON)
        machine.run("umount", "--lazy", DATA)
        machine.fresh()


def start_fails(machine: Machine) -> tuple[str, str]:
    """The exit status of a start that has to fail for good, and what the journal says since."""
    machine.run("systemctl", "reset-failed", DAEMON, "crowdd.socket", check=False)
    since = machine.run("date", "+%s.%N")
    machine.refused("systemctl", "start", DAEMON)
    machine.until("given up", lambda: machine.show("ActiveState") == "failed")
    lines = machine.run("journalctl", "-o", "cat", "--unit", DAEMON, f"--since=@{since}")
    return machine.show("ExecMainStatus"), lines


def test_flt7_a_damaged_store_is_not_started_on_and_the_remedy_is_said(running: Machine) -> None:
    with another_disk(running, "size=64m"):
        running.run("systemctl", "start", DAEMON)
        running.run("systemctl", "stop", "crowdd.socket", DAEMON)
        running.run("sh", "-c", f"head -c 8192 /dev/urandom > {DATA}/crowdd.db")
        status, lines = start_fails(running)
        assert (status, running.show("NRestarts")) == ("78", "0")
        assert "is damaged, or no database" in lines
        assert f"crowdd storage accept --data {DATA}" in lines


def test_flt24_an_older_store_is_not_started_on_until_its_owner_accepts_it(running: Machine) -> None:
    accept = ("runuser", "-u", "crowdd", "--", "/opt/crowdd/bin/crowdd", "storage", "accept", "--data", DATA)
    with another_disk(running, "size=64m"):
        running.run("systemctl", "start", DAEMON)
        running.run("systemctl", "stop", "crowdd.socket", DAEMON)
        running.run("cp", "-p", f"{DATA}/crowdd.db", "/tmp/older")
        running.run("systemctl", "start", DAEMON)
        running.run("systemctl", "stop", "crowdd.socket", DAEMON)
        running.run("cp", "-p", "/tmp/older", f"{DATA}/crowdd.db")
        status, lines = start_fails(running)
        assert (status, running.show("NRestarts")) == ("78", "0")
        assert "is older than what was in its place" in lines
        running.run(*accept)
        running.run("systemctl", "start", DAEMON)
        assert running.crowdctl("status")["stopping"] is False


def test_a_data_folder_that_cannot_be_written_is_said_and_not_tried_for_ever(running: Machine) -> None:
    with another_disk(running, "size=64m"):
        running.run("mount", "-o", "remount,ro", DATA)
        status, lines = start_fails(running)
        assert status == "78"
        assert "Read-only file system" in lines
        running.run("mount", "-o", "remount,rw", DATA)


def test_a_store_of_another_owner_is_said_with_who_that_is(running: Machine) -> None:
    with another_disk(running, "size=64m"):
        running.run("systemctl", "start", DAEMON)
        running.run("systemctl", "stop", "crowdd.socket", DAEMON)
        running.run("chown", "root:root", f"{DATA}/crowdd.db")  # as after a copy that root made
        status, lines = start_fails(running)
        assert status == "78"
        assert f"{DATA}/crowdd.db cannot be written by this user" in lines


def test_flt5_a_full_disk_at_the_start_is_said_and_room_lets_it_start(running: Machine) -> None:
    with another_disk(running, "size=64m"):
        running.run("sh", "-c", f"head -c 100M /dev/zero > {DATA}/filler", check=False)
        with running.with_drop_in(DAEMON, *IMPATIENT):
            status, lines = start_fails(running)
        assert status == "74"
        assert f"{DATA}: No space left on device: make room" in lines
        running.run("rm", f"{DATA}/filler")
        running.fresh()
        assert running.crowdctl("status")["stopping"] is False


# --- FLT20: threads


def test_flt20_a_daemon_that_may_start_no_threads_says_so_at_once(running: Machine) -> None:
    running.run("systemctl", "stop", DAEMON)
    with running.with_drop_in(DAEMON, "[Unit]", "StartLimitBurst=1", "[Service]", "TasksMax=3"):
        status, lines = start_fails(running)
    assert status == "74"
    assert "the store needs a thread" in lines
    assert "Traceback" not in lines
    running.fresh()


# --- credentials


@contextmanager
def without(machine: Machine, path: str) -> Generator[None]:
    machine.run("mv", path, f"{path}.away")
    try:
        yield
    finally:
        machine.run("mv", f"{path}.away", path)


def test_a_router_without_its_secret_is_not_started_and_the_file_is_named(with_router: Machine) -> None:
    with without(with_router, "/etc/crowdd-router/secret"):
        with_router.refused("systemctl", "restart", ROUTER)
        assert with_router.show("ActiveState", ROUTER) != "active"
        status = with_router.refused("systemctl", "status", ROUTER)
        assert "AssertPathExists=/etc/crowdd-router/secret was not met" in status


def test_a_router_whose_secret_others_can_read_refuses_to_start(with_router: Machine) -> None:
    toml, open_to_all = Path("/etc/crowdd-router/router.toml"), Path("/srv/secret")
    before = with_router.run("cat", str(toml))
    with_router.write(open_to_all, "a secret that everybody on this machine can read\n")
    changed = before.replace("/run/credentials/crowdd-router.service/secret", str(open_to_all))
    with_router.write(toml, changed)
    try:
        with with_router.with_drop_in(ROUTER, *IMPATIENT):
            with_router.run("systemctl", "restart", ROUTER, check=False)
            with_router.until("given up", lambda: with_router.show("ActiveState", ROUTER) == "failed")
        assert (
            f"{open_to_all}: others can use it (mode 0644): chmod 600 {open_to_all}" in with_router.journal()
        )
    finally:
        with_router.write(toml, before)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("/srv/secret", "others can use it"),
        ("/run/credentials/crowdd.service/router_other", "cannot be read"),
    ],
    ids=["world-readable", "missing"],
)
def test_sec14_a_launch_over_a_router_whose_secret_is_no_secret_is_refused(
    running: Machine, place: str, said: str
) -> None:
    routers = Path("/etc/crowdd/routers.toml")
    before = running.run("cat", str(routers))
    running.write(Path("/srv/secret"), "a secret that everybody on this machine can read\n")
    running.write(routers, before.replace("/run/credentials/crowdd.service/router_crowd", place))
    task = (
        "launch",
        "/usr/src/crowdd/examples/digits",
        "architect.type=remote",
        'architect.routers=["crowd"]',
    )
    try:
        refused = running.refused(CROWDCTL, *task, "label=secretless")
        assert f"{place}: {said}" in refused
    finally:
        running.write(routers, before)
