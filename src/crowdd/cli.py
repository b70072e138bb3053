"""The command `crowdd`: everything that works without a running daemon, and the daemon and router themselves.

The one place that may import every part; imports are inside the commands, so that each starts fast.
"""

import gc
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from . import __version__
from .config_commands import config, say_faults
from .daemon_flags import PARTS_HELP, Words, asked_by, daemon_flags, log_format_option, log_level_option
from .logs.parts import read_levels

STDERR = 2  # the process's own, whatever stands in its place in Python
EXIT_REFUSED = 1  # said no, and why
EXIT_STORE_REFUSED = 78  # the store cannot be opened as it is: restarting does not help, the words do
EXIT_STORE_LOST = 74  # the disk or database failed: restart from what is stored
EXIT_SUSPENDED = 75  # it went away on purpose: start it again at once
EXIT_LEASE_LOST = 76  # another daemon has taken the store: do not restart


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="crowdd")
def crowdd() -> None:
    """Runs crowd work: launches task runs, lets workers in, keeps every answer.

    Start with `crowdd demo`, or `crowdd run MY-TASK`. A running daemon is asked with `crowdctl`.
    """


_NUMBER = click.IntRange(0, 10_000)
_CYCLES = click.IntRange(0, 10_000_000)
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_new_data_option = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), help="Where to keep it [a new folder]."
)
_data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("crowdd-data"),
    show_default=True,
    help="Where everything is kept.",
)


@crowdd.command(epilog=PARTS_HELP)
@daemon_flags
def serve(**flags: Any) -> None:
    """Run the daemon until SIGTERM or Ctrl-C; unfinished runs are taken up where they were.

    What it is told comes from flags, else CROWDD_ variables, else crowdd.toml: `crowdd config init` writes
    one, and `kill -HUP` has it read again.

    It logs to stderr; as a systemd service, to the journal with fields (RUN=, AGENT=, UNIT=). Local routers
    that it starts log alike, to router/router.log in their run's folder.

    \b
    crowdd serve --log-level warning --log-level daemon.worker_pool=debug
    """
    import faulthandler

    gc.disable()  # looking for garbage among what is being imported costs a tenth of the start
    import trio

    from .daemon.departure import Manner
    from .daemon.service import serve_daemon
    from .daemon.structuring import Faults
    from .logs.output import write_log

    gc.freeze()  # all of this stays
    gc.enable()

    faulthandler.enable(STDERR)  # systemd's watchdog sends SIGABRT: the journal says where it hung
    asked = asked_by(**flags)
    try:
        configured = asked.configure()
    except Faults as faults:
        raise SystemExit(say_faults(faults.problems)) from None
    write_log(configured.config.log.format.value, read_levels(configured.config.log.level))
    try:
        left = trio.run(serve_daemon, configured, asked)
    except Exception as exc:
        raise SystemExit(_why_it_ended(exc)) from None
    gc.freeze()  # all of it ends with the process: a look for garbage would only hold up the next start
    raise SystemExit(EXIT_SUSPENDED if left is Manner.SUSPEND else 0)


def _why_it_ended(exc: Exception) -> int:
    """Say the gravest of the errors that a daemon may end with; its exit status. Any other is raised."""
    from .daemon.causes import causes
    from .daemon.control import ControlSocketTaken
    from .daemon.metrics.service import MetricsAddressTaken
    from .files.secrets import SecretRefused
    from .storage.errors import LeaseLost, StorageFailed, StorageRefused
    from .supervision.sockets import SocketsRefused

    for kind, status in (
        (LeaseLost, EXIT_LEASE_LOST),
        (StorageFailed, EXIT_STORE_LOST),
        (StorageRefused, EXIT_STORE_REFUSED),
        (ControlSocketTaken, EXIT_REFUSED),
        (SocketsRefused, EXIT_REFUSED),
        (SecretRefused, EXIT_REFUSED),
        (MetricsAddressTaken, EXIT_REFUSED),
    ):
        for cause in causes(exc):
            if isinstance(cause, kind):
                return _said(cause, status)
    raise exc


def _said(group: BaseException, code: int) -> int:
    from .daemon.causes import causes
    from .logs.output import say_refusal

    words = str(causes(group)[0])
    if not say_refusal(words):
        click.echo(f"crowdd: {words}", err=True)
    return code


@crowdd.command(epilog=PARTS_HELP)
@click.option("--config", type=click.Path(path_type=Path, exists=True), required=True, help="A router.toml.")
@log_level_option
@log_format_option
def router(config: Path, log_levels: Words, log_format: str | None) -> None:
    """Run a router: the public face that serves runs' pages and passes packets."""
    _run_router(lambda: config, log_levels, log_format)


@crowdd.command("spare-router", hidden=True)
@click.argument("data")
def spare_router(data: str) -> None:
    """A local router of the daemon on DATA that is kept ready: it waits to be told which one it is."""
    from .router.server import import_ahead
    from .supervision.handover import wait_for_config

    import_ahead()
    _run_router(wait_for_config)


def _run_router(
    config: Callable[[], Path | None], log_levels: Words = (), log_format: str | None = None
) -> None:
    """`config` is asked for once everything is imported; None: there is nothing to run."""
    import faulthandler

    import attrs

    from .router.config import RouterRefused
    from .router.config_file import load_config
    from .router.main import run_router

    if (path := config()) is None:
        return
    faulthandler.enable(STDERR)  # as in `serve`
    try:
        asked = load_config(path)
        levels = (*asked.log_level, *log_levels)
        run_router(attrs.evolve(asked, log_level=levels, log_format=log_format or asked.log_format))
    except RouterRefused as refused:
        raise SystemExit(_said(refused, EXIT_REFUSED)) from None


@crowdd.command()
@click.argument(
    "folders", type=click.Path(path_type=Path, exists=True, file_okay=False), nargs=-1, required=True
)
@_new_data_option
@click.option("--bots", type=_NUMBER, default=0, show_default=True, help="Simulated workers for each run.")
@click.option(
    "--workers", type=_NUMBER, default=1, show_default=True, help="Personal links to print for each run."
)
@click.option("--seed", default=1, show_default=True, help="What the simulated workers' chance starts from.")
@click.option(
    "--export", "export_to", type=click.Path(path_type=Path), help="Where to write the answers (JSONL)."
)
def run(
    folders: tuple[Path, ...], data: Path | None, bots: int, workers: int, seed: int, export_to: Path | None
) -> None:
    """Start, launch the tasks in FOLDERS, show progress, wait for all, shut down.

    \b
    crowdd run my-task                 print a link, wait for you to do the work in a browser
    crowdd run my-task --bots 8        simulated workers do it
    """
    if export_to is not None and len(folders) > 1:
        raise click.UsageError(
            "--export names one file, for one task; without it each run has its own in --data"
        )
    from .one_shot import OneShot, run_one_shot

    plan = OneShot(folders, data, bots, workers, seed, export_to)
    raise SystemExit(run_one_shot(plan))


@crowdd.command()
@_new_data_option
@click.option("--bots", type=_NUMBER, default=6, show_default=True, help="Simulated workers.")
@click.option("--seed", default=1, show_default=True, help="What their chance starts from.")
@click.option("--wait", is_flag=True, help="No simulated workers: the run waits for you to label.")
def demo(data: Path | None, bots: int, seed: int, wait: bool) -> None:
    """Watch a real task run: handwritten digits, labelled by simulated workers (and by you, if you like)."""
    from .one_shot import run_demo

    raise SystemExit(run_demo(data, bots, seed, wait))


@crowdd.command()
@click.argument("links", nargs=-1, required=True)
@click.option(
    "--player",
    type=click.Path(path_type=Path, exists=True),
    help="A file with answer(data, rng), or async play(page, data, rng) for live tasks.",
)
@click.option("--think", default=0.5, show_default=True, help="Mean seconds of thought for a unit.")
@click.option("--abandon", default=0.0, show_default=True, help="Share of units that are left alone.")
@click.option(
    "--reload", "reload_", default=0.0, show_default=True, help="Share of units with a page reload."
)
@click.option(
    "--return", "return_", default=0.0, show_default=True, help="Share of units that are given back."
)
@click.option("--double", default=0.0, show_default=True, help="Share of answers that are sent twice.")
@click.option("--seed", default=1, show_default=True)
@click.option("--history", type=click.Path(path_type=Path), help="Where to write what was seen (JSONL).")
def bots(
    links: tuple[str, ...],
    player: Path | None,
    think: float,
    abandon: float,
    reload_: float,
    return_: float,
    double: float,
    seed: int,
    history: Path | None,
) -> None:
    """Simulated workers: one for each personal LINK, through the router's real doors.

    \b
    crowdctl links digits --count 20 --json | jq -r '.[].url' | xargs crowdd bots
    """
    import trio

    from .client.terminal import counted, safe
    from .testing.bots import BotPlan, run_bots
    from .testing.empty_hands import empty_handed
    from .testing.history import History, answers_saved
    from .testing.players import PlayerUnusable, load_player

    for link in links:
        if not link.startswith(("http://", "https://")):
            raise click.UsageError(f"{link!r:.80} is no link; `crowdctl links RUN --count 3` makes some.")
    plan = BotPlan(
        workers=len(links),
        seed=seed,
        think_s=think,
        abandon=abandon,
        reload=reload_,
        give_back=return_,
        double=double,
    )
    try:
        known = None if player is None else load_player(player)
    except PlayerUnusable as unusable:
        raise SystemExit(_said(unusable, EXIT_REFUSED)) from None
    with nullcontext(None) if history is None else history.open("a") as file:
        seen = trio.run(run_bots, plan, links, known, History("bots-", file=file))
    saved = counted(len(answers_saved(seen.entries)), "answer")
    click.echo(f"{counted(len(links), 'worker')} went home, {saved} saved")
    for why, workers in empty_handed(seen.entries).items():
        click.echo(f"{counted(workers, 'worker')} saved nothing: {safe(why)}")


@crowdd.command()
@click.argument("folder", type=_FOLDER)
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def check(folder: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Say everything that is wrong with the task in FOLDER, or what would run, without launching it.

    Whether its label is free and its routers are known, only the daemon knows: crowdctl launch --dry-run.

    \b
    crowdd check my-task
    crowdd check my-task limits.grace_s=60
    """
    from .check import check_folder

    raise SystemExit(check_folder(folder, overrides, as_json))


@crowdd.command()
@click.option("--cycles", type=_CYCLES, default=200, show_default=True, help="How often something is killed.")
@click.option("--real", type=_CYCLES, default=10, show_default=True, help="So many starts are by exec.")
@click.option(
    "--every-syscall", is_flag=True, help="Kill, and fail the disk, at every system call: needs strace."
)
@click.option("--power-cuts", type=_CYCLES, default=0, help="Cut the power of a disk so often: needs root.")
@click.option("--seed", default=1, show_default=True, help="What chance starts from.")
@click.option("--plant", default="", metavar="FAULT", help="Do wrong on purpose, to see that it is found.")
@click.option(
    "--lanes", type=click.IntRange(1, 64), default=2, show_default=True, help="Scenes side by side."
)
@click.option(
    "--report",
    "report_to",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where certificate.md and certificate.json are written, and what broke a promise is kept.",
)
def certify(report_to: Path | None, **asked: Any) -> None:
    """Prove on this machine that nothing is lost: kill daemon, router and browsers while work goes on.

    Real processes on a folder of their own do real work; what clients were told is compared with the store.
    Exit status 0: every promise held, or with --plant: the fault was found.

    \b
    crowdd certify --cycles 2000 --real 50 --report certificate
    crowdd certify --plant "ack before commit"
    """
    from .certify_command import folder_for, run_certify
    from .testing.certify.findings import Plan

    if not (asked["cycles"] or asked["every_syscall"] or asked["power_cuts"]):
        raise click.UsageError("nothing would be tried: ask for --cycles, --every-syscall or --power-cuts.")
    with folder_for(report_to) as folder:
        status = run_certify(Plan(folder=folder, **asked), report_to)
    raise SystemExit(status)


@crowdd.group()
def storage() -> None:
    """Look after a store while no daemon uses it."""


@storage.command("check")
@_data_option
def storage_check(data: Path) -> None:
    """Check the whole store: pages, references, counters, and what must always hold."""
    from .client.terminal import counted
    from .storage.sqlite import check_store

    problems = check_store(data / "crowdd.db")
    for problem in problems:
        click.echo(problem)
    found = f"{counted(len(problems), 'problem')} found"
    click.echo(found if problems else f"{data / 'crowdd.db'}: everything holds")
    raise SystemExit(EXIT_REFUSED if problems else 0)


@storage.command("accept")
@_data_option
def storage_accept(data: Path) -> None:
    """Accept a restored (older) store as the present, knowing what came after it is lost."""
    from .storage import accept
    from .storage.errors import StorageFailed, StorageRefused

    try:
        accept(data / "crowdd.db")
    except (StorageFailed, StorageRefused) as refused:
        raise SystemExit(_said(refused, EXIT_REFUSED)) from None
    click.echo(f"{data / 'crowdd.db'} is the present now: `crowdd serve --data {data}` starts on it")


@storage.command("restore")
@click.argument("backup", type=click.Path(path_type=Path, readable=False))
@_data_option
def storage_restore(backup: Path, data: Path) -> None:
    """Put BACKUP, a file that `crowdctl backup` wrote, in the place of the store, as the present.

    What the store held stays beside it, in a folder that is named; what came after the backup is lost to the
    daemon. Refused while a daemon runs on it.
    """
    from .restoring import restore
    from .storage.errors import StorageFailed, StorageRefused

    try:
        replaced = restore(backup, data)
    except (StorageFailed, StorageRefused) as refused:
        raise SystemExit(_said(refused, EXIT_REFUSED)) from None
    click.echo(f"{data / 'crowdd.db'} is the present now: `crowdd serve --data {data}` starts on it")
    if replaced is not None:
        click.echo(f"What was there is in {replaced}: remove it once you are sure")


crowdd.add_command(config)

if __name__ == "__main__":
    crowdd()
