"""The units at work: a real systemd starts, kills, reloads, stops what `make install-systemd` installed."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from .installing import OFFLINE, ROOT, SITE_PACKAGES, SOURCE
from .machine import CROWDCTL, DAEMON, OPT, ROUTER, Machine

GET = """import sys, urllib.request as r
request = r.Request(sys.argv[1], headers={"Host": sys.argv[2]} if sys.argv[2:] else {})
print(r.urlopen(request, timeout=5).read().decode())"""
CROWDD_TOML = Path("/etc/crowdd/crowdd.toml")
DIGITS = f"{SITE_PACKAGES}/crowdd/examples/digits"
REMOTE = ("architect.type=remote", 'architect.routers=["crowd"]')

pytestmark = pytest.mark.system


# --- installing


def test_the_install_says_what_to_do_next_and_starts_nothing(installed: tuple[Machine, str]) -> None:
    machine, said = installed
    assert "systemctl enable --now crowdd.socket crowdd.service" in said
    assert machine.run("readlink", "/usr/local/bin/crowdctl") == CROWDCTL


def test_the_install_keeps_secrets_for_root_and_gives_both_sides_the_same(machine: Machine) -> None:
    places = ("/etc/crowdd/secrets/crowd", "/etc/crowdd-router/secret")
    assert machine.run("stat", "-c", "%U %a", *places).splitlines() == ["root 600", "root 600"]
    assert machine.run("cat", places[0]) == machine.run("cat", places[1])


def test_an_install_over_an_old_one_keeps_what_was_configured(machine: Machine) -> None:
    configured = ("sh", "-c", "cat /etc/crowdd/*.toml /etc/crowdd/secrets/* /etc/crowdd-router/*")
    before = machine.run(*configured)
    machine.run("env", *OFFLINE, "make", "-C", str(SOURCE), "install-systemd")
    assert machine.run(*configured) == before


def test_the_folder_of_a_daemon_that_ran_as_a_dynamic_user_is_taken_over(running: Machine) -> None:
    runs = running.crowdctl("runs")
    running.run("systemctl", "stop", "crowdd.socket", DAEMON)
    as_it_was = "mkdir -p /var/lib/private && mv crowdd private/ && ln -s private/crowdd crowdd"
    running.run("sh", "-c", f"cd /var/lib && {as_it_was} && chown -R 61234:61234 private/crowdd")
    running.fresh()
    assert running.run("stat", "-c", "%F %U", "/var/lib/crowdd") == "directory crowdd"
    assert running.crowdctl("runs") == runs


# --- starting


def test_start_returns_when_the_daemon_is_ready_and_says_how_it_is(running: Machine) -> None:
    assert running.show("ActiveState") == "active"
    assert running.show("StatusText").startswith("holding")
    assert running.show("NRestarts") == "0"


def test_the_daemon_runs_as_a_user_of_its_own_with_its_data_kept_private(running: Machine) -> None:
    assert running.run("ps", "-o", "user=", "-p", running.show("MainPID")) == "crowdd"
    assert running.run("stat", "-L", "-c", "%U %a", "/var/lib/crowdd/crowdd.db") == "crowdd 600"


def test_the_journal_has_the_daemon_s_own_lines(running: Machine) -> None:
    lines = running.run("journalctl", "-o", "cat", f"_PID={running.show('MainPID')}")
    assert "ready: control socket /run/crowdd/control" in lines


def test_lines_of_the_journal_have_fields(running: Machine) -> None:
    lines = running.run("journalctl", "-o", "json", "PART=daemon.service", f"_PID={running.show('MainPID')}")
    ready = [line for line in map(json.loads, lines.splitlines()) if line["MESSAGE"].startswith("ready: ")]
    assert [(line["PRIORITY"], line["_TRANSPORT"]) for line in ready] == [("6", "journal")]


def test_crowdctl_finds_the_service_s_socket_by_itself(running: Machine) -> None:
    assert running.crowdctl("status")["stopping"] is False


def test_a_daemon_that_was_killed_is_started_again_and_becomes_ready(running: Machine) -> None:
    before = running.show("MainPID")
    running.run("kill", f"-{signal.SIGKILL}", before)
    running.restarted(1)
    assert running.show("MainPID") != before


def test_flt13_who_asks_while_the_daemon_is_down_waits_and_is_answered(running: Machine) -> None:
    for _ in range(3):
        running.run("kill", f"-{signal.SIGKILL}", running.show("MainPID"))
        assert running.crowdctl("status")["stopping"] is False
    running.fresh()


def test_asking_a_daemon_that_was_stopped_starts_it(running: Machine) -> None:
    assert "crowdd.socket" in running.run("sh", "-c", f"systemctl stop {DAEMON} 2>&1")
    assert running.crowdctl("status")["stopping"] is False
    assert running.show("ActiveState") == "active"


def test_stopping_its_socket_stops_the_daemon_for_good(running: Machine) -> None:
    running.run("systemctl", "stop", "crowdd.socket", DAEMON)
    assert "No daemon is running here" in running.refused(
        CROWDCTL, "--socket", "/run/crowdd/control", "status"
    )
    assert running.show("ActiveState") == "inactive"
    running.fresh()


def test_a_run_and_its_router_go_on_after_the_daemon_was_killed(running: Machine) -> None:
    run = str(running.crowdctl("launch", DIGITS)["id"])
    running.until("the router is up", lambda: router_is_up(running, run))
    address = running.crowdctl("show", run)["address"]
    running.run("kill", f"-{signal.SIGKILL}", running.show("MainPID"))
    running.restarted(1)
    running.until("the router is up again", lambda: router_is_up(running, run))
    assert running.crowdctl("show", run)["address"] == address
    assert "crowdd.js" in running.run(f"{OPT}/bin/python", "-c", GET, address)
    running.crowdctl("stop", run, "--now")


def test_a_router_of_its_own_serves_the_daemon_s_runs_also_after_it_was_killed(with_router: Machine) -> None:
    run = str(with_router.crowdctl("launch", DIGITS, "label=apart", *REMOTE)["id"])
    with_router.until("the run is on the router", lambda: router_is_up(with_router, run))
    assert with_router.crowdctl("show", run)["address"] == "http://apart.localhost:8090/"
    before = with_router.show("MainPID", ROUTER)
    with_router.run("kill", f"-{signal.SIGKILL}", before)
    page = with_router.run(f"{OPT}/bin/python", "-c", GET, "http://127.0.0.1:8090/", "apart.localhost:8090")
    assert "crowdd.js" in page  # who came meanwhile waited at systemd's socket
    with_router.until(
        "the router was started again",
        lambda: with_router.show("MainPID", ROUTER) not in ("0", before) and router_is_up(with_router, run),
    )
    with_router.crowdctl("stop", run, "--now")


def test_the_router_says_to_systemd_where_it_serves(with_router: Machine) -> None:
    assert with_router.show("StatusText", ROUTER) == "serving at http://127.0.0.1:8090"


def test_the_router_is_not_the_daemon_s_user_and_cannot_read_its_secrets(with_router: Machine) -> None:
    assert 0 != with_router.uid(ROUTER) != with_router.uid(DAEMON) != 0
    root = f"/proc/{with_router.show('MainPID', ROUTER)}/root"
    assert with_router.run("stat", "-L", "-c", "%a", f"{root}/var/lib/crowdd-router") == "700"
    assert with_router.run("stat", "-L", "-c", "%a", "/var/lib/crowdd") == "700"


# --- reloading


@pytest.fixture
def with_config(running: Machine) -> Iterator[Machine]:
    """The machine with the daemon started; its crowdd.toml is removed at the end."""
    yield running
    running.run("rm", "-f", str(CROWDD_TOML))
    running.run("systemctl", "reset-failed", DAEMON, "crowdd.socket", check=False)
    running.run("systemctl", "restart", DAEMON)


def test_a_reload_takes_up_crowdd_toml_and_says_what_needs_a_restart(with_config: Machine) -> None:
    with_config.write(CROWDD_TOML, '[log]\nlevel = "debug"\n[pace]\nlinger_s = 5\n')
    before = with_config.show("MainPID")
    with_config.run("systemctl", "reload", DAEMON)
    assert with_config.show("ActiveState") == "active"
    assert with_config.show("StatusText").startswith("needs a restart: pace.linger_s")
    assert {part["level"] for part in with_config.crowdctl("log")} == {"debug"}
    assert with_config.show("MainPID") == before


def test_a_reload_of_a_broken_file_fails_and_keeps_the_daemon_as_it_is(with_config: Machine) -> None:
    with_config.write(CROWDD_TOML, "lgo = 1\n")
    assert "Job for crowdd.service failed" in with_config.refused("systemctl", "reload", DAEMON)
    assert (with_config.show("ActiveState"), with_config.show("NRestarts")) == ("active", "0")
    assert "was not reloaded" in with_config.show("StatusText")
    said = f"{CROWDD_TOML}:1: lgo: unknown; did you mean 'log'?"
    assert f"not reloaded: {said}" in with_config.run(
        "journalctl", "-o", "cat", f"_PID={with_config.show('MainPID')}"
    )
    assert said in with_config.refused(CROWDCTL, "reload")
    assert with_config.crowdctl("status")["stopping"] is False


def test_a_start_with_a_broken_file_is_not_tried_again_and_says_why(with_config: Machine) -> None:
    with_config.write(CROWDD_TOML, "lgo = 1\n")
    with_config.run("systemctl", "restart", DAEMON, check=False)
    assert (with_config.show("ActiveState"), with_config.show("ExecMainStatus")) == ("failed", "2")
    assert with_config.show("NRestarts") == "0"
    assert f"{CROWDD_TOML}:1: lgo: unknown; did you mean 'log'?" in with_config.journal()


# --- the end


def test_stop_ends_well(running: Machine) -> None:
    running.run("systemctl", "stop", DAEMON)
    assert (running.show("Result"), running.show("ExecMainStatus")) == ("success", "0")


def test_the_units_are_those_of_this_source(machine: Machine) -> None:
    for unit in (DAEMON, ROUTER, "crowdd.socket", "crowdd-router.socket"):
        shown = machine.run("cat", f"/usr/local/lib/systemd/system/{unit}")
        assert shown == (ROOT / "systemd" / unit).read_text().strip()


def router_is_up(machine: Machine, run: str) -> bool:
    shown = machine.crowdctl("show", run)
    return shown["state"] == "running" and [router["up"] for router in shown["routers"]] == [True]
