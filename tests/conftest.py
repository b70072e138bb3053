"""What holds for every test: generated inputs are judged by what they show, never by the clock.

And at the end a table says where the time went.
"""

import signal
from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from trio.testing import MockClock

from crowdd.testing.patient_clock import patient_clock

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

FIRST_FOLDER = "testing"  # test_seeds.py; tests/certify, which is as long, comes early by its name
TOLD_FROM_S = 5.0  # files that take less are told together

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's job in the background ignores Ctrl-C, and so would all that tests start and then interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def autojump_clock() -> MockClock:
    """Instead of trio's own, which jumps over threads that are at work."""
    return patient_clock()


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Name failures at once; processes that run tests for another have nobody to tell."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if isinstance(reporter, pytest.TerminalReporter):
        config.pluginmanager.register(_Failures(reporter))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Side by side, begin with the folder that has the longest file: begun last, others would wait for it."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.path.parent.name != FIRST_FOLDER)


class _Failures:
    """Names what failed when it did: a run that is cut short has no summary."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._reporter.ensure_newline()
            self._reporter.write_line(f"FAILED {report.nodeid} ({report.when})")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how long each folder took, and which of its files took most of that."""
    files, folders = defaultdict[PurePath, float](float), defaultdict[PurePath, float](float)
    for path, took_s in _durations(terminalreporter.stats):
        files[path] += took_s
        folders[path.parent] += took_s
    terminalreporter.section("what took how long")
    for folder in sorted(folders, key=folders.__getitem__, reverse=True):
        terminalreporter.write_line(f"{folders[folder]:8.1f} s  {folder}")
        slow = [path for path in files if path.parent == folder and files[path] >= TOLD_FROM_S]
        for path in sorted(slow, key=files.__getitem__, reverse=True):
            terminalreporter.write_line(f"            {files[path]:8.1f} s  {path.name}")
    terminalreporter.write_line(f"{sum(folders.values()):8.1f} s  all tests together")


def _durations(stats: dict[str, list[Any]]) -> Iterator[tuple[PurePath, float]]:
    for reports in stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                yield PurePath(report.nodeid.partition("::")[0]), report.duration
