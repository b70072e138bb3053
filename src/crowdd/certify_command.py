"""The command `crowdd certify`: carries campaigns out, shows how far they are, writes the report."""

import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import attrs
import click
import orjson
import trio

from . import __version__
from .daemon.causes import causes
from .testing.certify import kills, power_cuts, syscalls
from .testing.certify.findings import CampaignResult, Plan, Progress
from .testing.certify.loop_disk import DiskRefused
from .testing.certify.mutants import MUTANTS
from .testing.certify.report import Report, verdict
from .testing.certify.strace import StraceRefused

SHOWN_MAX = 10  # violations; the report has them all
WORDS_MAX = 400  # of each
INTERRUPTED = 130
REFUSED = (StraceRefused, DiskRefused)
"""What campaigns raise that cannot be carried out here; the words say what is missing."""
Campaign = Callable[[Plan, Progress], Awaitable[CampaignResult]]


def run_certify(plan: Plan, report_to: Path | None) -> int:
    """Certify as planned, `plan.folder` being where; 0 when all held, or when a planted fault was found."""
    if plan.plant and plan.plant not in MUTANTS:
        known = "; ".join(MUTANTS)
        click.echo(f"crowdd: no fault is called {plan.plant!r}. There are: {known}", err=True)
        return 2
    report = Report(__version__, plan, [], datetime.now(UTC))
    try:
        results = trio.run(certify_as, plan, _campaigns(plan))
    except (BaseExceptionGroup, *REFUSED) as exc:
        return _why_not(exc)
    if results is None:
        click.echo("\nstopped; all that it had started has ended", err=True)
        return INTERRUPTED
    report = attrs.evolve(report, results=results)
    _say(report)
    if report_to is not None:
        _write(report, report_to)
    return int(bool(report.violations) is not bool(plan.plant))


def _why_not(exc: BaseException) -> int:
    """Say why nothing is certified; the exit status. Any other error is raised."""
    for cause in causes(exc):
        if isinstance(cause, REFUSED):
            click.echo(f"crowdd: {cause}", err=True)
            return 1
    raise exc


async def certify_as(plan: Plan, campaigns: Sequence[Campaign]) -> list[CampaignResult] | None:
    """Carry these out, one after the other; None: a signal came, and all that had been started has ended.

    No KeyboardInterrupt, which is raised anywhere: also where something was started and nobody knows of it
    yet, or is being ended. Signals that come while it ends change nothing.
    """
    results, certifying = None, trio.CancelScope()
    with trio.open_signal_receiver(*_heeded()) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_on, signals, certifying)
            with certifying:
                results = [await campaign(plan, _show) for campaign in campaigns]
            nursery.cancel_scope.cancel()
    return results


async def _cancel_on(signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
    async for _ in signals:
        scope.cancel()


def _heeded() -> list[signal.Signals]:
    """What ends it: not what whoever started it has it ignore, as `nohup` does."""
    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    return [each for each in ending if signal.getsignal(each) is not signal.SIG_IGN]


def _campaigns(plan: Plan) -> list[Campaign]:
    asked: list[tuple[object, Campaign]] = [
        (plan.cycles, kills.run),
        (plan.every_syscall, syscalls.run),
        (plan.power_cuts, power_cuts.run),
    ]
    return [campaign for wanted, campaign in asked if wanted]


@contextmanager
def folder_for(report_to: Path | None) -> Generator[Path]:
    """Where scenes are set: beside the report, where those that broke a promise stay, or a temporary one."""
    # A socket's path must be short: nothing longer than needed goes into it.
    with tempfile.TemporaryDirectory(prefix="crowdd-") as folder:
        yield Path(folder)
        if report_to is not None:
            _keep(Path(folder), report_to)


def _keep(folder: Path, report_to: Path) -> None:
    for scene in sorted(folder.iterdir()):
        shutil.copytree(scene, report_to / "scenes" / scene.name, ignore=_sockets, dirs_exist_ok=True)


def _sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not (Path(folder, name).is_file() or Path(folder, name).is_dir())]


def _show(campaign: str, done: int, of: int, words: str = "") -> None:
    line = f"{campaign}: {done} of {of}{f', {words}' if words else ''}"
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{line}", err=True, nl=done >= of)
    else:
        click.echo(line, err=True)


def _say(report: Report) -> None:
    found = [finding for result in report.results for finding in result.violations]
    click.echo(verdict(report))
    for finding in found[:SHOWN_MAX]:
        click.echo(f"- {finding.words[:WORDS_MAX]}\n  again: {finding.repeat}")
    if len(found) > SHOWN_MAX:
        click.echo(f"and {len(found) - SHOWN_MAX} more")


def _write(report: Report, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "certificate.md").write_text(report.as_markdown())
    (folder / "certificate.json").write_bytes(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
    click.echo(f"{folder}/certificate.md and certificate.json tell all")
