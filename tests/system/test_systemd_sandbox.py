"""What the units allow: their exposure, what a task's code can reach from inside, who may ask the daemon."""

import json
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .installing import ROOT
from .machine import CROWDCTL, DAEMON, ROUTER, SERVICES, Machine

EXPOSURE = {DAEMON: 12, ROUTER: 15}  # tenths, as systemd counts
BEYOND = "192.0.2.10"
"""An address of the booted machine that is not the loopback's: packets to it stay inside, nobody answers."""

pytestmark = pytest.mark.system


@pytest.mark.parametrize("unit", [*SERVICES, "crowdd.socket", "crowdd-router.socket"])
def test_systemd_finds_no_fault_in_the_unit_file(machine: Machine, unit: str) -> None:
    assert machine.run("systemd-analyze", "verify", f"/usr/local/lib/systemd/system/{unit}") == ""


@pytest.mark.parametrize("unit", SERVICES)
def test_m10_the_unit_s_exposure_stays_low(machine: Machine, unit: str) -> None:
    path, threshold = ROOT / "systemd" / unit, str(EXPOSURE[unit])
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={threshold}", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert rated.returncode == 0, rated.stdout
    assert "Overall exposure level" in rated.stdout


SECRET = "/run/credentials/crowdd.service/router_crowd"
PROBE = """
import ctypes, json, mmap, os, socket, subprocess

def outcome(act):
    try:
        return f"allowed: {act()!r:.60}"
    except BaseException as exc:
        return type(exc).__name__ + (f" {exc.errno}" if getattr(exc, "errno", None) else "")

def write(path):
    with open(path, "w") as file:
        file.write("x")

libc = ctypes.CDLL(None, use_errno=True)

def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)

def connect(host, port):
    with socket.create_connection((host, port), timeout=2):
        pass

def ptrace_parent():
    call("ptrace", 16, os.getppid(), 0, 0)

def code_in_data():
    with mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC):
        pass

probed = {
    "write its own folder": outcome(lambda: write("/var/lib/crowdd/probe")),
    "write /etc": outcome(lambda: write("/etc/crowdd/probe")),
    "write its own code": outcome(lambda: write("/opt/crowdd/probe")),
    "write the router's folder": outcome(lambda: write("/var/lib/crowdd-router/probe")),
    "read shadow": outcome(lambda: open("/etc/shadow").read()),
    "read root's secret": outcome(lambda: open("/etc/crowdd/secrets/crowd").read()),
    "read its copy of the secret": outcome(lambda: len(open("SECRET").read())),
    "read the router's secret": outcome(lambda: open("/etc/crowdd-router/secret").read()),
    "see homes": outcome(lambda: os.listdir("/root")),
    "see other processes": sorted(each for each in os.listdir("/proc") if each.isdigit() and
                                  os.stat(f"/proc/{each}").st_uid != os.getuid()),
    "open a disk": outcome(lambda: open("/dev/vda", "rb")),
    "open a packet socket": outcome(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)),
    "open a netlink socket": outcome(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
    "reach this machine": outcome(lambda: connect("127.0.0.1", 9)),
    "reach beyond": outcome(lambda: connect("BEYOND", 9)),
    "become root": outcome(lambda: os.setuid(0)),
    "own namespaces": outcome(lambda: call("unshare", 0x10000000)),
    "trace a process": outcome(ptrace_parent),
    "mount": outcome(lambda: call("mount", b"tmpfs", b"/tmp", b"tmpfs", 0, None)),
    "write and execute memory": outcome(code_in_data),
    "set the clock": outcome(lambda: call("settimeofday", ctypes.create_string_buffer(16), None)),
    "change the host's name": outcome(lambda: call("sethostname", b"x", 1)),
    "raise its limits": outcome(lambda: os.nice(-5)),
    "make a setuid file": outcome(lambda: os.chmod("/var/lib/crowdd/probe", 0o4755)),
    "start a process": outcome(lambda: subprocess.run(["/bin/true"]).returncode),
    "send a signal to init": outcome(lambda: os.kill(1, 0)),
}
with open("/var/lib/crowdd/probed.json", "w") as file:
    json.dump(probed, file)
""".replace("BEYOND", BEYOND).replace("SECRET", SECRET)

FORBIDDEN = {
    "write /etc": "PermissionError 13",
    "write its own code": "OSError 30",
    "write the router's folder": "PermissionError 13",
    "read shadow": "PermissionError 13",
    "read root's secret": "PermissionError 13",
    "read the router's secret": "PermissionError 13",
    "see homes": "PermissionError 13",
    "open a disk": "FileNotFoundError 2",
    "open a packet socket": "OSError 97",
    "open a netlink socket": "OSError 97",
    "reach beyond": "TimeoutError",
    "become root": "PermissionError 1",
    "own namespaces": "PermissionError 1",
    "trace a process": "PermissionError 1",
    "mount": "PermissionError 1",
    "write and execute memory": "PermissionError 1",
    "set the clock": "PermissionError 1",
    "change the host's name": "PermissionError 1",
    "raise its limits": "PermissionError 1",
    "make a setuid file": "PermissionError 1",
    "send a signal to init": "PermissionError 1",
}
ALLOWED: dict[str, Any] = {
    "write its own folder": "allowed: None",
    "read its copy of the secret": "allowed: 45",
    "reach this machine": "ConnectionRefusedError 111",
    "start a process": "allowed: 0",
    "see other processes": [],
}


@pytest.fixture
def probing(with_router: Machine) -> Iterator[Callable[[], dict[str, Any]]]:
    """Tells what a task's own code finds that it can do, in the daemon's process."""
    running, task = with_router, Path("/srv/probe")
    running.write(task / "task.toml", 'name = "probe"\n[blueprint]\ntype = "static"\n')
    running.write(task / "data.jsonl", '{"text": "a"}\n')
    running.write(task / "page" / "index.html", "<form>${text} <input name=a></form>")
    running.write(task / "task.py", textwrap.dedent(PROBE))
    running.run("ip", "address", "add", f"{BEYOND}/32", "dev", "lo")

    def probe() -> dict[str, Any]:
        running.run(CROWDCTL, "launch", str(task), "--dry-run", check=False)
        found: dict[str, Any] = json.loads(running.run("cat", "/var/lib/crowdd/probed.json"))
        return found

    yield probe
    running.run("rm", "-f", "/var/lib/crowdd/probed.json", "/var/lib/crowdd/probe")
    running.run("ip", "address", "del", f"{BEYOND}/32", "dev", "lo")


def test_sec21_the_code_of_a_task_reaches_nothing_outside_its_folder_and_machine(
    probing: Callable[[], dict[str, Any]],
) -> None:
    assert probing() == {**FORBIDDEN, **ALLOWED}


def test_the_documented_drop_ins_give_a_task_the_network_and_a_compiler_and_nothing_else(
    running: Machine, probing: Callable[[], dict[str, Any]]
) -> None:
    folder = "/etc/systemd/system/crowdd.service.d"
    for name in ("network", "jit"):
        running.run("cp", f"{folder}/{name}.conf.example", f"{folder}/{name}.conf")
    try:
        running.run("systemctl", "daemon-reload")
        running.run("systemctl", "restart", DAEMON)
        found = probing()
    finally:
        running.run("rm", f"{folder}/network.conf", f"{folder}/jit.conf")
        running.run("systemctl", "daemon-reload")
        running.run("systemctl", "restart", DAEMON)
    given = {"reach beyond": "ConnectionRefusedError 111", "write and execute memory": "allowed: None"}
    assert found == {**FORBIDDEN, **ALLOWED, **given}


# --- who may ask


@pytest.fixture
def people(running: Machine) -> Machine:
    """The machine with ann, who is a member of the group, and bob, who is not."""
    running.run("useradd", "--groups", "crowdd", "ann", check=False)
    running.run("useradd", "bob", check=False)
    return running


@pytest.mark.parametrize("name", ["nobody", "bob"])
def test_sec13_who_is_no_member_is_kept_out_by_the_file_s_mode(people: Machine, name: str) -> None:
    said = people.refused("runuser", "-u", name, "--", CROWDCTL, "status")
    assert "You may not use the daemon's socket /run/crowdd/control" in said
    assert "Join the group" in said


@pytest.mark.parametrize("name", ["root", "ann", "crowdd"])
def test_sec13_the_kernel_says_who_asks(people: Machine, name: str) -> None:
    said = people.run("runuser", "-u", name, "--", CROWDCTL, "status", "--json")
    assert json.loads(said)["you"] == f"staff:{name}"


def test_sec13_a_member_may_look_but_launches_nothing_until_told_so(people: Machine) -> None:
    people.run("runuser", "-u", "ann", "--", CROWDCTL, "runs")
    said = people.refused("runuser", "-u", "ann", "--", CROWDCTL, "launch", "/srv/probe")
    assert "role" in said


def test_the_control_socket_belongs_to_root_and_the_group(running: Machine) -> None:
    assert running.run("stat", "-c", "%U %G %a", "/run/crowdd/control") == "root crowdd 660"
