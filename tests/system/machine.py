"""A real systemd as PID 1 of namespaces of its own, and what a test asks of it."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import attrs

BOOT = Path(__file__).with_name("boot_systemd.sh")
BRIDGE = Path(__file__).with_name("bridge.py")
OPT = Path("/opt/crowdd")
PATIENCE_S = 30.0
PYTHON_ELSEWHERE = {"LD_LIBRARY_PATH": "/opt/python/lib"}
CROWDCTL = str(OPT / "bin" / "crowdctl")
DAEMON, ROUTER = "crowdd.service", "crowdd-router.service"
SERVICES = (DAEMON, ROUTER)
ROUTER_PORT = 8090
DROP_INS = Path("/run/systemd/system")
CGROUPS = Path("/sys/fs/cgroup")
LIMITING = ("systemd", "memory", "pids", "cpu", "cpuacct", "blkio", "devices", "freezer")


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
        return subprocess.run(
            [*self._enter, *command],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S * 3,
        )

    @property
    def _enter(self) -> list[str]:
        return ["nsenter", "-t", str(self.pid_one), "-m", "-p", "-u", "-i", "-n", "-C"]

    def refused(self, *command: str) -> str:
        """What a command said that had to fail."""
        ran = self._run(command)
        assert ran.returncode, f"{' '.join(command)} did not fail: {ran.stdout}"
        return ran.stdout + ran.stderr

    def background(self, *command: str) -> "subprocess.Popen[str]":
        """A command inside that goes on beside the test; its owner waits for it."""
        return subprocess.Popen(
            [*self._enter, *command],
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def root(self) -> Path:
        """Its root folder, seen from here."""
        return Path(f"/proc/{self.pid_one}/root")

    def show(self, name: str, unit: str = DAEMON) -> str:
        return self.run("systemctl", "show", unit, "--value", "-p", name)

    def uid(self, unit: str) -> int:
        """As whom the unit's main process runs."""
        return int(self.run("stat", "-c", "%u", f"/proc/{self.show('MainPID', unit)}"))

    def crowdctl(self, *arguments: str) -> Any:
        return json.loads(self.run(CROWDCTL, *arguments, "--json"))

    def journal(self) -> str:
        return self.run("journalctl", "-o", "cat", *(f"--unit={unit}" for unit in SERVICES), check=False)

    def until(self, what: str, holds: Callable[[], bool]) -> None:
        """Ask until it holds; systemd and the daemon tell nobody outside their namespaces by themselves."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {what}\n{self.journal()}"
            time.sleep(0.05)

    def restarted(self, times: int, unit: str = DAEMON) -> None:
        """Return when systemd has started the unit again so often, and it is ready."""
        self.until(
            f"{unit} restarted {times} times",
            lambda: (self.show("NRestarts", unit), self.show("ActiveState", unit)) == (str(times), "active"),
        )

    @contextlib.contextmanager
    def with_drop_in(self, unit: str, *lines: str) -> Generator[None]:
        """What `systemctl edit` would add; taken away at the end. Holds from the unit's next start on."""
        path = DROP_INS / f"{unit}.d" / "test.conf"
        self.write(path, "\n".join([*lines, ""]))
        self.run("systemctl", "daemon-reload")
        try:
            yield
        finally:
            self.run("rm", "-f", str(path))
            self.run("systemctl", "daemon-reload")

    @contextlib.contextmanager
    def limited(self, unit: str, *limits: str) -> Generator[None]:
        """Limits for what the unit is doing at present, without a restart; taken away at the end."""
        self.run("systemctl", "set-property", "--runtime", unit, *limits)
        try:
            yield
        finally:
            self.run("rm", "-rf", f"/run/systemd/system.control/{unit}.d")
            self.run("systemctl", "daemon-reload")

    def throttled(self, unit: str) -> int:
        """How often the unit had to wait because its share of the CPU was used up."""
        groups = [self.root / "sys/fs/cgroup" / each / "system.slice" / unit for each in ("cpu", ".")]
        (said,) = [(group / "cpu.stat").read_text() for group in groups if (group / "cpu.stat").exists()]
        return int(dict(line.split() for line in said.splitlines())["nr_throttled"])

    def write(self, path: Path, content: str) -> None:
        """A file of root's on the machine, readable by all."""
        self.run("mkdir", "-p", str(path.parent))
        there = self.root / path.relative_to("/")
        there.write_text(content)
        there.chmod(0o644)

    def fresh(self, unit: str = DAEMON) -> None:
        """Forget how often the unit was started, and have it and its socket active."""
        socket = unit.replace(".service", ".socket")
        self.run("systemctl", "reset-failed", unit, socket, check=False)
        if self.show("NRestarts", unit) != "0":
            self.run("systemctl", "stop", unit)  # which forgets them
        self.run("systemctl", "start", socket, unit)

    @contextlib.contextmanager
    def bridge(self, port: int = ROUTER_PORT) -> Generator[int]:
        """A port of this machine that leads to one of the booted one."""
        process = subprocess.Popen(
            [sys.executable, BRIDGE, str(self.pid_one), str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stdout is not None
            assert process.stdin is not None
            yield int(process.stdout.readline())
            process.stdin.close()


def hierarchies() -> list[str]:
    """The cgroup hierarchies that a systemd needs: version 2 alone, or beside those that set limits."""
    if not (CGROUPS / "unified").is_dir():
        return ["."]
    return ["unified", *(name for name in LIMITING if (CGROUPS / name).is_dir())]


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


@attrs.frozen
class Cgroup:
    """An empty cgroup of this name in each of the hierarchies."""

    name: str
    hierarchies: list[str]

    @property
    def folders(self) -> list[Path]:
        return [CGROUPS / hierarchy / self.name for hierarchy in self.hierarchies]

    def is_empty(self) -> bool:
        """Whether no process is left in it."""
        return "populated 0" in (self.folders[0] / "cgroup.events").read_text()


@contextlib.contextmanager
def own_cgroup() -> Generator[Cgroup]:
    """An empty cgroup; removed at the end with what systemd made below it."""
    cgroup = Cgroup(f"crowdd-test-{os.getpid()}", hierarchies())
    for path in cgroup.folders:
        path.mkdir()
    try:
        yield cgroup
    finally:
        for path in cgroup.folders:
            for folder, _folders, _files in os.walk(path, topdown=False):
                Path(folder).rmdir()


@contextlib.contextmanager
def boot(scratch: Path, cgroup: Cgroup, payload: Path, prefix: Path | None) -> Generator[Machine]:
    """A machine that is up; ended by force, with all that runs on it, and seen to be gone."""
    mount_point = scratch / "mount-point"
    mount_point.mkdir()
    with (scratch / "console").open("wb") as console:
        outer = subprocess.Popen(
            [BOOT, mount_point, payload, prefix or "", cgroup.name, *cgroup.hierarchies],
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


def _wait_until_empty(cgroup: Cgroup) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not cgroup.is_empty() and time.monotonic() < deadline:
        time.sleep(0.02)
