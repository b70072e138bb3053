"""`crowdd run` and `crowdd demo`: a daemon of their own for the time of a few runs. Blocking, in one process.

The daemon, its routers and the simulated workers are processes of their own; this one only asks and shows.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from .client import Client
from .client.commands.launch import tell_warnings
from .client.errors import ClientError, DaemonUnreachable
from .client.terminal import say_error
from .interrupts import END_S, Interrupted, Interrupts
from .progress import follow_runs

START_S = 30.0
DEMO = Path(__file__).parent / "examples" / "digits"
PLAYER_NAME = "player.py"
FOR_DAEMONS = ("CROWDD_", "CONFIGURATION_DIRECTORY")  # told to a service of this machine, not to ours
HABITS = (
    "--think",
    "0.4",
    "--reload",
    "0.03",
    "--double",
    "0.05",
    "--return",
    "0.02",
)  # people do these, too


class OneShot:
    """What `crowdd run` was asked for."""

    def __init__(
        self,
        folders: Sequence[Path],
        data: Path | None = None,
        bots: int = 0,
        workers: int = 1,
        seed: int = 1,
        export_to: Path | None = None,
    ) -> None:
        self.folders = list(folders)
        self.data = data
        self.bots = bots
        self.workers = workers
        self.seed = seed
        self.export_to = export_to


def run_one_shot(plan: OneShot) -> int:
    """Carry the plan out; returns the exit status. Ctrl-C stops everything in order; work is kept."""
    interrupts = Interrupts()
    interrupts.listen()
    with ExitStack() as stack:
        data = plan.data or Path(stack.enter_context(_kept_folder()))
        try:
            _refuse_if_served(data)
            click.echo(f"Everything is kept in {data}")
            client = stack.enter_context(daemon_process(data, interrupts))
            runs = [client.launch(folder) for folder in plan.folders]
            for run in runs:
                tell_warnings(run)
                _until_served(client, run.label)
            for run, folder in zip(runs, plan.folders, strict=True):
                stack.enter_context(_workers(client, run.label, folder, plan, data, interrupts))
            follow_runs(client, [run.label for run in runs])
            return _finish(client, [run.label for run in runs], plan, data)
        except ClientError as exc:
            say_error(exc, "crowdd")
            return 1
        except Interrupted:
            click.echo(f"\nStopping. What was done is kept: `crowdd serve --data {data}` goes on with it.")
            return 130


def _until_served(client: Client, label: str) -> None:
    """Return when the run's pages can be opened. ClientError: it came to nothing, and why."""
    for snapshot in client.follow(label):
        if snapshot.trouble:
            raise ClientError(f"{label}: {snapshot.trouble}")
        if snapshot.address:
            return


def _finish(client: Client, labels: Sequence[str], plan: OneShot, data: Path) -> int:
    failed = 0
    for label in labels:
        state = client.show(label).state
        path = plan.export_to or data / f"{label}.jsonl"
        count = write_export(client, label, path)
        click.echo(f"{label}: {state}, {count} answers in {path}")
        failed += state != "completed"
    return 1 if failed else 0


def write_export(client: Client, label: str, path: Path) -> int:
    """Write a run's answers as JSON lines; returns how many."""
    with path.open("wb") as out:
        for piece in client.export(label, "jsonl"):
            out.write(piece)
    with path.open("rb") as written:
        return sum(1 for _ in written)


# --- processes


@contextmanager
def daemon_process(data: Path, interrupts: Interrupts) -> Generator[Client]:
    """A daemon on `data`, ready; told to stop, and waited for, when left."""
    data.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOR_DAEMONS)}
    environment["CROWDD_SPARE_ROUTER"] = "false"  # there is no next run
    command = [sys.executable, "-m", "crowdd.cli", "serve", "--data", str(data), "--end-routers"]
    with ExitStack() as stack:
        with (data / "crowdd.log").open("ab") as log:
            serving = interrupts.child(command, stdout=log, stderr=log, env=environment)
            process = stack.enter_context(serving)
        yield _ready_client(process, data)


def _refuse_if_served(data: Path) -> None:
    """ClientError: a daemon is there that is not ours; what we launched in it would go on when we end."""
    with suppress(DaemonUnreachable):
        Client(data / "control").status()
        ask = f"crowdctl --socket {shlex.quote(str(data / 'control'))}"
        raise ClientError(
            f"A daemon runs on {data} already.",
            f"Launch there: {ask} launch FOLDER; or name another folder with --data.",
        )


def _ready_client(process: subprocess.Popen[bytes], data: Path) -> Client:
    client = Client(data / "control")
    give_up_at = time.monotonic() + START_S
    while True:
        try:
            client.status()
        except DaemonUnreachable:
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise SystemExit(f"crowdd: the daemon did not start; see {data / 'crowdd.log'}") from None
            time.sleep(0.05)
        else:
            return client


@contextmanager
def _workers(
    client: Client, label: str, folder: Path, plan: OneShot, data: Path, interrupts: Interrupts
) -> Generator[None]:
    """Print links for people, and let simulated workers work until left."""
    if plan.workers:
        for link in client.links(label, [f"person-{n}" for n in range(1, plan.workers + 1)]):
            click.echo(f"Open this to work on {label!r} yourself:  {link.url}")
    elif not plan.bots:
        ask = f"crowdctl --socket {shlex.quote(str(data / 'control'))}"
        click.echo(f"Nobody is invited to {label!r} yet:  {ask} links {label} --workers ann,bob")
    if not plan.bots:
        yield
        return
    links = client.links(label, [f"bot-{n}" for n in range(1, plan.bots + 1)])
    command = _bots(folder, [link.url for link in links], plan.seed)
    with interrupts.child(command, stdout=subprocess.DEVNULL) as process:
        yield
        process.wait(END_S)


def _bots(folder: Path, links: Sequence[str], seed: int) -> list[str]:
    player = folder / PLAYER_NAME
    options = ["--seed", str(seed), *HABITS]
    if player.is_file():
        options += ["--player", str(player)]
    return [sys.executable, "-m", "crowdd.cli", "bots", *options, *links]


@contextmanager
def _kept_folder() -> Generator[str]:
    """A new folder that stays: answers are not thrown away because nobody named a place for them."""
    yield tempfile.mkdtemp(prefix="crowdd-")


# --- the demo


def run_demo(data: Path | None, bots: int, seed: int, wait: bool) -> int:
    """Label digits with simulated workers, export, and compare with the known truth."""
    folder = data or Path(tempfile.mkdtemp(prefix="crowdd-demo-"))
    export = folder / "digits.jsonl"
    plan = OneShot([DEMO], folder, 0 if wait else bots, 1, seed, export)
    click.echo("Handwritten digits are labelled: a daemon and a router run as two processes, SQLite on disk.")
    code = run_one_shot(plan)
    if code == 0:
        click.echo(accuracy(export))
    return code


def accuracy(export: Path) -> str:
    """How many exported labels equal the known truth (the row's `_truth`, which pages never see)."""
    right = total = 0
    with export.open() as lines:
        for line in lines:
            data: dict[str, Any] = json.loads(line)["data"]
            total += 1
            right += str(data["outputs"].get("label")) == str(data["inputs"]["_truth"])
    share = 100 * right / total if total else 0.0
    return f"Accuracy against the known truth: {share:.1f} % ({right} of {total} labels)"
