"""`make demo-remote`: a task run with daemon and router apart, as services are: user, folder and secret each.

As root the two are other users than ours, without names; otherwise, or where these could not read Python or
their folders, both are us, and it is said. Everything is ended, whatever happens; what was made is kept.
"""

import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from pathlib import Path

import attrs

from crowdd.client import Client
from crowdd.client.errors import DaemonUnreachable
from crowdd.one_shot import DEMO, accuracy, write_export
from crowdd.progress import follow_runs

CROWDD = (sys.executable, "-m", "crowdd.cli")
DAEMON_UID, ROUTER_UID = 60_101, 60_102  # above people's, below those that systemd gives out
WORKERS = 6
START_S = 30.0
END_S = 30.0
ROUTER_TOML = """folder = "{folder}/kept"
secret_file = "{folder}/secret"
ready_file = "{folder}/ready.json"
"""
ROUTERS_TOML = """[apart]
url = "http://127.0.0.1:{port}"
public_url = "http://localhost:{port}"
secret_file = "{folder}/secret"
"""


@attrs.frozen
class Service:
    """One of the two: its folder, and as whom it runs (None: as we do)."""

    folder: Path
    uid: int | None

    def make(self, secret: str) -> None:
        """Its folder, which nobody else may enter, with its copy of the secret."""
        self.folder.mkdir(mode=0o700)
        self.write("secret", secret)
        if self.uid is not None:
            os.chown(self.folder, self.uid, self.uid)

    def write(self, name: str, text: str) -> None:
        """A file of its own."""
        path = self.folder / name
        path.touch(0o600)
        path.write_text(text)
        if self.uid is not None:
            os.chown(path, self.uid, self.uid)

    def start(self, *argv: str | Path) -> "subprocess.Popen[bytes]":
        """A process of its own, with its log in the folder."""
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*CROWDD, *argv],
                user=self.uid,
                group=self.uid,
                extra_groups=None if self.uid is None else [],
                umask=0o077,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def may(self, *argv: str | Path) -> bool:
        """Whether a command succeeds as this user."""
        try:
            ran = subprocess.run(
                argv,
                user=self.uid,
                group=self.uid,
                extra_groups=[],
                cwd="/",
                capture_output=True,
                check=False,
            )
        except OSError:
            return False
        return ran.returncode == 0


def main() -> int:
    """Show it; the exit status is 0 when every unit was answered."""
    base = Path(tempfile.mkdtemp(prefix="crowdd-remote-"))
    base.chmod(0o755)
    daemon, router = services(base)
    secret = secrets.token_urlsafe(32)
    for service in (daemon, router):
        service.make(secret)
    say_who(daemon, router)
    router.write("router.toml", ROUTER_TOML.format(folder=router.folder))
    with running(router, "router", "--config", router.folder / "router.toml"):
        port = port_of(router)
        daemon.write("routers.toml", ROUTERS_TOML.format(port=port, folder=daemon.folder))
        with running(daemon, "serve", "--data", daemon.folder):
            return label_digits(ready_client(daemon), base / "digits.jsonl")


def services(base: Path) -> tuple[Service, Service]:
    """Daemon and router, as two users where that can be."""
    apart = Service(base / "daemon", DAEMON_UID), Service(base / "router", ROUTER_UID)
    if os.geteuid() != 0:
        print("Not root: daemon and router both run as you. As root they would be two users.")
    elif all(service.may(sys.executable, "-c", "import crowdd.cli") for service in apart) and all(
        service.may("ls", base) for service in apart
    ):
        return apart
    else:
        print(f"Other users cannot use {sys.executable} or {base} here: daemon and router both run as root.")
    return Service(base / "daemon", None), Service(base / "router", None)


def say_who(daemon: Service, router: Service) -> None:
    """Where both are, and that the public one cannot read what the private one owns."""
    for name, service in (("daemon", daemon), ("router", router)):
        user = os.geteuid() if service.uid is None else service.uid
        print(f"The {name} runs as user {user} in {service.folder}")
    if router.uid is not None:
        tried = "can" if router.may("ls", daemon.folder) else "cannot"
        print(f"User {router.uid}, whom browsers reach, {tried} read {daemon.folder}")


@contextlib.contextmanager
def running(service: Service, *argv: str | Path) -> Generator[None]:
    """The service's process; ended when left."""
    process = service.start(*argv)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def port_of(router: Service) -> int:
    """Where the router listens, once it does."""
    ready, give_up_at = router.folder / "ready.json", time.monotonic() + START_S
    while not ready.exists():
        if time.monotonic() > give_up_at:
            raise SystemExit(f"the router did not start; see {router.folder / 'log'}")
        time.sleep(0.05)
    return int(json.loads(ready.read_bytes())["port"])


def ready_client(daemon: Service) -> Client:
    """A client of the daemon, once it answers."""
    client, give_up_at = Client(daemon.folder / "control"), time.monotonic() + START_S
    while True:
        try:
            client.status()
        except DaemonUnreachable:
            if time.monotonic() > give_up_at:
                raise SystemExit(f"the daemon did not start; see {daemon.folder / 'log'}") from None
            time.sleep(0.05)
        else:
            return client


def label_digits(client: Client, export: Path) -> int:
    """Launch the digits on the router, let simulated workers label them, and compare with the truth."""
    label = client.launch(DEMO, {"architect.type": "remote", "architect.routers": '["apart"]'}).label
    for snapshot in client.follow(label):
        if snapshot.address:
            print(f"Workers find {label!r} at {snapshot.address}")
            break
    links = client.links(label, [f"bot-{n}" for n in range(1, WORKERS + 1)])
    with simulated_workers([link.url for link in links]):
        follow_runs(client, [label])
    count = write_export(client, label, export)
    print(f"{label}: {client.show(label).state}, {count} answers in {export}")
    print(accuracy(export))
    return 0 if client.show(label).state == "completed" else 1


@contextlib.contextmanager
def simulated_workers(links: Sequence[str]) -> Generator[None]:
    """A process that works at the links until left."""
    bots = subprocess.Popen(
        [*CROWDD, "bots", "--player", str(DEMO / "player.py"), "--think", "0.4", *links],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        bots.terminate()
        bots.wait()


if __name__ == "__main__":
    raise SystemExit(main())
