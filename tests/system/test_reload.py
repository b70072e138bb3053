"""SIGHUP: a running daemon takes up what can change, says what cannot, and never falls over a broken file."""

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import trio

from ..process_table import LOOK_S
from .processes import READY_S, Daemon

pytestmark = pytest.mark.system


def a_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


async def started(daemon: Daemon, toml: str = "", *options: str) -> Path:
    """The daemon's crowdd.toml, which it has read."""
    daemon.data.mkdir(exist_ok=True)
    path = daemon.data / "crowdd.toml"
    path.write_text(toml)
    await daemon.start(*options)
    return path


async def reload(daemon: Daemon, verdicts: int = 1) -> str:
    """SIGHUP; what the daemon logged until it had dealt with it: in one line, or in one for each fault."""
    assert daemon.process is not None
    before = len(daemon.log)
    daemon.process.send_signal(signal.SIGHUP)
    await until(lambda: daemon.log[before:].count("reloaded: ") >= verdicts and daemon.log.endswith("\n"))
    return daemon.log[before:]


async def until(holds: Callable[[], bool]) -> None:
    with trio.fail_after(READY_S):
        while not holds():
            await trio.sleep(LOOK_S)


async def levels(daemon: Daemon) -> dict[str, str]:
    return {part.part: part.level for part in await daemon.ask("log_levels")}


async def test_log_levels_and_format_are_taken_up(daemon: Daemon) -> None:
    path = await started(daemon)
    path.write_text('[log]\nlevel = ["info", "links=debug"]\n')
    log = await reload(daemon)
    assert f'taken up: log.level: ["info"] is now ["info", "links=debug"] ({path}:2)' in log
    assert (await levels(daemon))["links"] == "debug"
    path.write_text('[log]\nformat = "json"\n')
    assert '"message"' in (await reload(daemon)).splitlines()[-1]
    assert (await levels(daemon))["links"] == "info"


async def test_metrics_move_while_the_daemon_runs(daemon: Daemon) -> None:
    path, first, second = await started(daemon), a_port(), a_port()
    async with httpx.AsyncClient(trust_env=False) as http:
        for port, other in ((first, second), (second, first)):
            path.write_text(f'metrics = "127.0.0.1:{port}"\n')
            assert "taken up: metrics: " in await reload(daemon)
            assert (await http.get(f"http://127.0.0.1:{port}/metrics")).is_success
            with pytest.raises(httpx.ConnectError):
                await http.get(f"http://127.0.0.1:{other}/metrics")
    path.write_text("")
    await reload(daemon)
    with pytest.raises(httpx.ConnectError):
        async with httpx.AsyncClient(trust_env=False) as http:
            await http.get(f"http://127.0.0.1:{second}/metrics")


async def test_metrics_stay_where_they_are_when_the_new_address_is_taken(daemon: Daemon) -> None:
    port = a_port()
    path = await started(daemon, f'metrics = "127.0.0.1:{port}"\n')
    with socket.create_server(("127.0.0.1", 0)) as busy:
        path.write_text(f'metrics = "127.0.0.1:{busy.getsockname()[1]}"\n')
        assert "not taken up: metrics: " in await reload(daemon)
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"http://127.0.0.1:{port}/metrics")).is_success
    assert "taken up: metrics: " in await reload(daemon)  # it is free now


async def test_what_needs_a_restart_is_said_each_time_and_left_alone(daemon: Daemon) -> None:
    path = await started(daemon)
    path.write_text('control = "elsewhere"\n[pace]\nlinger_s = 5\n')
    for _ in range(2):
        log = await reload(daemon)
        assert f'needs a restart: control: nothing is now "{daemon.data}/elsewhere" ({path}:1)' in log
        assert f"needs a restart: pace.linger_s: 600 is now 5 ({path}:3)" in log
        assert "reloaded: 0 taken up, 2 need a restart" in log
    assert (await daemon.ask("status")).stopping is False


async def test_a_broken_file_changes_nothing_and_every_fault_is_said(daemon: Daemon) -> None:
    path = await started(daemon)
    path.write_text('[log]\nlevel = "debug"\nformta = "json"\n[pace]\nlinger_s = "5"\n')
    log = await reload(daemon, verdicts=2)
    assert f"not reloaded: {path}:3: log.formta: unknown; did you mean 'format'?" in log
    assert f"not reloaded: {path}:5: pace.linger_s: must be a number, not '5'" in log
    assert (await levels(daemon))["all"] == "info"


async def test_a_broken_routers_toml_is_said(daemon: Daemon) -> None:
    await started(daemon)
    (daemon.data / "routers.toml").write_text('[crowd]\nurl = "https://crowd.example.org"\n')
    assert "crowd.secret_file: is missing" in await reload(daemon)


async def test_flags_stay_what_they_were(daemon: Daemon) -> None:
    path = await started(daemon, "", "--log-level", "warning")
    path.write_text('[log]\nlevel = "debug"\n[pace]\nlinger_s = 5\n')
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)
    await until(lambda: "needs a restart: pace.linger_s" in daemon.log)
    assert (await levels(daemon))["all"] == "warning"


async def test_a_daemon_does_not_start_with_a_broken_file(daemon: Daemon) -> None:
    daemon.data.mkdir()
    (daemon.data / "crowdd.toml").write_text("lgo = 1\n")
    with pytest.raises(AssertionError, match=r"crowdd.toml:1: lgo: unknown; did you mean 'log'\?"):
        await daemon.start()
    assert daemon.process is not None
    assert daemon.process.returncode == 2
