"""The unit files at work: a real systemd in namespaces of its own starts, restarts and stops the services."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import attrs
import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent.parent
BOOT = Path(__file__).with_name("boot_systemd.sh")
OPT = Path("/opt/crowdd")
PATIENCE_S = 30.0
PYTHON_ELSEWHERE = {"LD_LIBRARY_PATH": "/opt/python/lib"}
GET = """import sys, urllib.request as r
request = r.Request(sys.argv[1], headers={"Host": sys.argv[2]} if sys.argv[2:] else {})
print(r.urlopen(request, timeout=5).read().decode())"""
CROWDD_TOML = "/etc/crowdd/crowdd.toml"
UNITS = ("crowdd.service", "crowdd-router.service")
SOCKETS = ("crowdd.socket", "crowdd-router.socket")
ROUTERS_TOML = """[crowd]
url = "http://127.0.0.1:8090"
public_url = "http://localhost:8090"
secret_file = "/run/credentials/crowdd.service/router_crowd"
"""

pytestmark = pytest.mark.system


@attrs.frozen
class Machine:
    """A booted systemd; commands run beside it, in its namespaces."""

    pid_one: int
    environment: dict[str, str] = attrs.Factory(dict[str, str])
    """What an interpreter at another address than its own needs to find its library."""

    def run(self, *command: str, check: bool = True) -> str:
        """Output of a command inside; raises with what it said when it fails and `check` is set."""
        ran = self._run(command)
        if check and ran.returncode:
            raise AssertionError(f"{' '.join(command)}: {ran.stdout}{ran.stderr}\n{self.journal()}")
        return ran.stdout.strip()

    def _run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        enter = ["nsenter", "-t", str(self.pid_one), "-m", "-p", "-u", "-i", "-n", "-C"]
        return subprocess.run(
            [*enter, *command],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S * 3,
        )

    def refused(self, *command: str) -> str:
        """What a command said that had to fail."""
        ran = self._run(command)
        assert ran.returncode, f"{' '.join(command)} did not fail: {ran.stdout}"
        return ran.stdout + ran.stderr

    def show(self, name: str, unit: str = "crowdd.service") -> str:
        return self.run("systemctl", "show", unit, "--value", "-p", name)

    def uid(self, unit: str) -> int:
        """As whom the unit's main process runs."""
        return int(self.run("stat", "-c", "%u", f"/proc/{self.show('MainPID', unit)}"))

    def crowdctl(self, *arguments: str) -> Any:
        return json.loads(self.run(f"{OPT}/bin/crowdctl", *arguments, "--json"))

    def journal(self) -> str:
        return self.run("journalctl", "-o", "cat", *(f"--unit={unit}" for unit in UNITS), check=False)

    def until(self, what: str, holds: Callable[[], bool]) -> None:
        """Ask until it holds; systemd and the daemon tell nobody outside their namespaces by themselves."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {what}\n{self.journal()}"
            time.sleep(0.05)

    def restarted(self, times: int) -> None:
        """Return when systemd has started the daemon again so often, and it is ready."""
        self.until(
            f"restarted {times} times",
            lambda: (self.show("NRestarts"), self.show("ActiveState")) == (str(times), "active"),
        )


def cgroup_root() -> Path:
    """Where the version 2 hierarchy is mounted: beside the old ones, or alone."""
    beside = Path("/sys/fs/cgroup/unified")
    return beside if beside.is_dir() else Path("/sys/fs/cgroup")


def why_not() -> str | None:
    """Why no systemd can be booted here; None if it can."""
    if os.geteuid() != 0:
        return "needs root"
    if not Path("/lib/systemd/systemd").exists():
        return "systemd is not installed"
    tried = ["unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--net", "--cgroup", "true"]
    if subprocess.run(tried, capture_output=True, check=False).returncode:
        return "this machine does not permit new namespaces"
    return None


@contextlib.contextmanager
def own_cgroup() -> Generator[Path]:
    """An empty cgroup; removed at the end with what systemd made below it."""
    path = cgroup_root() / f"crowdd-test-{os.getpid()}"
    path.mkdir()
    try:
        yield path
    finally:
        for folder, _folders, _files in os.walk(path, topdown=False):
            Path(folder).rmdir()


@contextlib.contextmanager
def boot(scratch: Path, cgroup: Path, payload: Path, prefix: Path | None) -> Generator[Machine]:
    """A machine that is up; ended by force, with all that runs on it, and seen to be gone."""
    mount_point = scratch / "mount-point"
    mount_point.mkdir()
    with (scratch / "console").open("wb") as console:
        outer = subprocess.Popen(
            [BOOT, mount_point, cgroup, payload, *([prefix] if prefix else [])],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
        )
    try:
        yield _wait_until_up(outer, scratch / "console", PYTHON_ELSEWHERE if prefix else {})
    finally:
        outer.kill()  # --kill-child ends its PID 1 with it, and that all other processes of the namespace
        outer.wait()
        _wait_until_empty(cgroup)


def _wait_until_up(outer: subprocess.Popen[bytes], console: Path, environment: dict[str, str]) -> Machine:
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and outer.poll() is None:
        pids = children.read_text().split()
        machine = Machine(int(pids[0]), environment) if pids else None
        if machine and machine.run("systemctl", "is-active", "systemd-journald", check=False) == "active":
            return machine
        time.sleep(0.05)
    raise AssertionError(f"systemd did not come up:\n{console.read_text(errors='replace')}")


def _wait_until_empty(cgroup: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while "populated 1" in (cgroup / "cgroup.events").read_text() and time.monotonic() < deadline:
        time.sleep(0.02)


def needed_distributions(name: str, seen: dict[str, metadata.Distribution]) -> None:
    """The distribution and all that it needs at run time, by name."""
    if name in seen:
        return
    seen[name] = metadata.distribution(name)
    for text in seen[name].requires or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            needed_distributions(requirement.name, seen)


def install(opt: Path) -> Path | None:
    """Lay out what `python3 -m venv /opt/crowdd && pip install crowdd` would; needs no network.

    Returns the interpreter's own folder if the unit, which sees no home folders, must be shown it elsewhere.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", opt], check=True)
    base = Path(sys.base_prefix)
    hidden = None if base == Path("/usr") else base
    home = Path("/opt/python/bin") if hidden else base / "bin"
    python = f"python{sysconfig.get_python_version()}"
    (opt / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")
    for name in ("python", "python3", python):
        (opt / "bin" / name).unlink(missing_ok=True)
        (opt / "bin" / name).symlink_to(home / python)
    _copy_packages(opt / "lib" / python / "site-packages")
    for command in metadata.distribution("crowdd").entry_points.select(group="console_scripts"):
        script = opt / "bin" / command.name
        script.write_text(
            f"#!{OPT}/bin/python\nimport sys\nfrom {command.module} import {command.attr}\n"
            f"sys.exit({command.attr}())\n"
        )
        script.chmod(0o755)
    return hidden


def _copy_packages(site_packages: Path) -> None:
    distributions: dict[str, metadata.Distribution] = {}
    needed_distributions("crowdd", distributions)
    for distribution in distributions.values():
        for file in distribution.files or []:
            source, target = Path(str(file.locate())), site_packages / file
            if ".." in file.parts or file.suffix in {".pth", ".pyc"} or not source.is_file():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    shutil.copytree(
        ROOT / "src" / "crowdd", site_packages / "crowdd", ignore=shutil.ignore_patterns("__pycache__")
    )


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    reason = why_not()
    if reason:
        assert not os.environ.get("CI"), f"no systemd can be booted on the machine that must: {reason}"
        pytest.skip(f"THE UNIT FILE IS NOT TESTED HERE: {reason}")
    payload = tmp_path_factory.mktemp("payload")
    prefix = install(payload / OPT.relative_to("/"))
    units = payload / "etc" / "systemd" / "system"
    units.mkdir(parents=True)
    for unit in SOCKETS:
        shutil.copy(ROOT / "systemd" / unit, units)
    users = payload / "usr" / "lib" / "sysusers.d"
    users.mkdir(parents=True)
    shutil.copy(ROOT / "systemd" / "sysusers.conf", users / "crowdd.conf")
    for unit in UNITS:
        shutil.copy(ROOT / "systemd" / unit, units)
        (units / f"{unit}.d").mkdir()
        if prefix:  # an interpreter built with a shared library looks for it at its old address
            lines = [f"Environment={name}={value}" for name, value in PYTHON_ELSEWHERE.items()]
            (units / f"{unit}.d" / "python.conf").write_text("\n".join(["[Service]", *lines, ""]))
    introduce(payload)
    payload.chmod(0o755)
    with own_cgroup() as cgroup, boot(tmp_path_factory.mktemp("machine"), cgroup, payload, prefix) as machine:
        machine.run("systemd-sysusers")
        yield machine


def introduce(payload: Path) -> None:
    """Configure daemon and router for each other, as the comments of their files say."""
    daemon, router = payload / "etc" / "crowdd", payload / "etc" / "crowdd-router"
    daemon.mkdir()
    router.mkdir()
    (daemon / "secrets").mkdir(mode=0o700)
    (daemon / "routers.toml").write_text(ROUTERS_TOML)
    shutil.copy(ROOT / "systemd" / "router.toml", router)
    for file in (daemon / "secrets" / "crowd", router / "secret"):
        file.touch(0o600)
        file.write_text("what daemon and router prove themselves with")


@pytest.fixture
def running(machine: Machine) -> Iterator[Machine]:
    """The machine with the daemon started, from no data; stopped again at the end."""
    machine.run("systemctl", "reset-failed", "crowdd.service", check=False)
    machine.run("systemctl", "start", "crowdd.service")
    yield machine
    machine.run("systemctl", "stop", "crowdd.service")


def test_start_returns_when_the_daemon_is_ready_and_says_how_it_is(running: Machine) -> None:
    assert running.show("ActiveState") == "active"
    assert running.show("StatusText")
    assert running.show("NRestarts") == "0"


def test_the_daemon_runs_as_a_user_of_its_own_with_its_data_kept_private(running: Machine) -> None:
    assert running.run("ps", "-o", "user=", "-p", running.show("MainPID")) == "crowdd"
    assert running.run("stat", "-L", "-c", "%a", "/var/lib/crowdd/crowdd.db") == "600"


def test_the_journal_has_the_daemon_s_own_lines(running: Machine) -> None:
    lines = running.run("journalctl", "-o", "cat", f"_PID={running.show('MainPID')}")
    assert "ready: control socket /run/crowdd/control" in lines


def test_lines_of_the_journal_have_fields(running: Machine) -> None:
    lines = running.run("journalctl", "-o", "json", "PART=daemon.service", f"_PID={running.show('MainPID')}")
    ready = [line for line in map(json.loads, lines.splitlines()) if line["MESSAGE"].startswith("ready: ")]
    assert [(line["PRIORITY"], line["_TRANSPORT"]) for line in ready] == [("6", "journal")]


def test_crowdctl_finds_the_service_s_socket_by_itself(running: Machine) -> None:
    assert running.crowdctl("runs") == []


def test_a_daemon_that_was_killed_is_started_again_and_becomes_ready(running: Machine) -> None:
    before = running.show("MainPID")
    running.run("kill", f"-{signal.SIGKILL}", before)
    running.restarted(1)
    assert running.show("MainPID") != before


def test_a_run_and_its_router_go_on_after_the_daemon_was_killed(running: Machine) -> None:
    digits = f"{OPT}/lib/python{sysconfig.get_python_version()}/site-packages/crowdd/examples/digits"
    run = str(running.crowdctl("launch", digits)["id"])
    running.until("the router is up", lambda: router_is_up(running, run))
    address = running.crowdctl("show", run)["address"]
    running.run("kill", f"-{signal.SIGKILL}", running.show("MainPID"))
    running.restarted(1)
    running.until("the router is up again", lambda: router_is_up(running, run))
    assert running.crowdctl("show", run)["address"] == address
    assert "crowdd.js" in running.run(f"{OPT}/bin/python", "-c", GET, address)


@pytest.fixture
def with_router(running: Machine) -> Iterator[Machine]:
    """The machine with the router started beside the daemon; stopped again at the end."""
    running.run("systemctl", "start", "crowdd-router.service")
    yield running
    running.run("systemctl", "stop", "crowdd-router.service")


def test_a_router_of_its_own_serves_the_daemon_s_runs_also_after_it_was_killed(with_router: Machine) -> None:
    digits = f"{OPT}/lib/python{sysconfig.get_python_version()}/site-packages/crowdd/examples/digits"
    remote = ["label=apart", "architect.type=remote", 'architect.routers=["crowd"]']
    run = str(with_router.crowdctl("launch", digits, *remote)["id"])
    with_router.until("the run is on the router", lambda: router_is_up(with_router, run))
    assert with_router.crowdctl("show", run)["address"] == "http://apart.localhost:8090/"
    before = with_router.show("MainPID", "crowdd-router.service")
    with_router.run("kill", f"-{signal.SIGKILL}", before)
    with_router.until(
        "the router was started again",
        lambda: (
            with_router.show("MainPID", "crowdd-router.service") not in ("0", before)
            and router_is_up(with_router, run)
        ),
    )
    page = with_router.run(f"{OPT}/bin/python", "-c", GET, "http://127.0.0.1:8090/", "apart.localhost:8090")
    assert "crowdd.js" in page


def test_the_router_is_not_the_daemon_s_user_and_cannot_read_its_secrets(with_router: Machine) -> None:
    assert 0 != with_router.uid("crowdd-router.service") != with_router.uid("crowdd.service") != 0
    root = f"/proc/{with_router.show('MainPID', 'crowdd-router.service')}/root"
    assert with_router.run("stat", "-L", "-c", "%a", f"{root}/var/lib/crowdd-router") == "700"
    assert with_router.run("stat", "-L", "-c", "%a", "/var/lib/crowdd") == "700"


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_no_fault_in_the_unit_file(machine: Machine, unit: str) -> None:
    assert machine.run("systemd-analyze", "verify", f"/etc/systemd/system/{unit}") == ""


@pytest.fixture
def with_config(running: Machine) -> Iterator[Machine]:
    """The machine with the daemon started; its crowdd.toml is removed at the end."""
    yield running
    running.run("rm", "-f", CROWDD_TOML)


def configure(machine: Machine, toml: str) -> None:
    machine.run("sh", "-c", f"cat > {CROWDD_TOML} <<'END'\n{toml}END")


def test_a_reload_takes_up_crowdd_toml_and_says_what_needs_a_restart(with_config: Machine) -> None:
    configure(with_config, '[log]\nlevel = "debug"\n[pace]\nlinger_s = 5\n')
    before = with_config.show("MainPID")
    with_config.run("systemctl", "reload", "crowdd.service")
    assert with_config.show("ActiveState") == "active"
    assert with_config.show("StatusText") == "needs a restart: pace.linger_s"
    assert {part["level"] for part in with_config.crowdctl("log")} == {"debug"}
    assert with_config.show("MainPID") == before


def test_a_reload_of_a_broken_file_keeps_the_daemon_as_it_is(with_config: Machine) -> None:
    configure(with_config, "lgo = 1\n")
    assert "Job for crowdd.service failed" in with_config.refused("systemctl", "reload", "crowdd.service")
    assert (with_config.show("ActiveState"), with_config.show("NRestarts")) == ("active", "0")
    assert "was not reloaded" in with_config.show("StatusText")
    lines = with_config.run("journalctl", "-o", "cat", f"_PID={with_config.show('MainPID')}")
    assert f"not reloaded: {CROWDD_TOML}:1: lgo: unknown; did you mean 'log'?" in lines
    assert with_config.crowdctl("status")["stopping"] is False


def test_a_start_with_a_broken_file_is_not_tried_again_and_says_why(with_config: Machine) -> None:
    configure(with_config, "lgo = 1\n")
    with_config.run("systemctl", "restart", "crowdd.service", check=False)
    assert (with_config.show("ActiveState"), with_config.show("ExecMainStatus")) == ("failed", "2")
    assert with_config.show("NRestarts") == "0"
    assert f"{CROWDD_TOML}:1: lgo: unknown; did you mean 'log'?" in with_config.journal()


def router_is_up(machine: Machine, run: str) -> bool:
    shown = machine.crowdctl("show", run)
    return shown["state"] == "running" and [router["up"] for router in shown["routers"]] == [True]


def test_stop_ends_well(running: Machine) -> None:
    running.run("systemctl", "stop", "crowdd.service")
    assert (running.show("Result"), running.show("ExecMainStatus")) == ("success", "0")
