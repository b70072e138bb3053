"""SEC13 with real users: who the kernel says is there decides what they may do."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trio

from .processes import READY_S, Daemon

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can become somebody else"),
]

SOMEBODY = 65534
STAFF = 54321
"""A group that owns the socket; nobody needs to have made it."""
ASK = """
import http.client, json, os, socket, sys
folder, uid, groups, method, target = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]), *sys.argv[4:]
os.chdir(folder)
os.setgroups(groups)
os.setgid(uid)
os.setuid(uid)
connection = http.client.HTTPConnection("crowdd")
connection.sock = socket.socket(socket.AF_UNIX)
try:
    connection.sock.connect("control")
except PermissionError:
    print(json.dumps(["EACCES", None]))
else:
    connection.request(method, target)
    answer = connection.getresponse()
    print(json.dumps([answer.status, json.loads(answer.read())]))
"""


async def ask_as(data: Path, groups: list[int], method: str, target: str) -> tuple[Any, Any]:
    """What somebody in these groups is answered: they open no file of ours on their way."""
    command = [sys.executable, "-c", ASK, str(data), str(SOMEBODY), json.dumps(groups), method, target]
    said = await trio.run_process(command, capture_stdout=True, stderr=subprocess.DEVNULL)
    status, body = json.loads(said.stdout)
    return status, body


async def test_sec13_a_stranger_cannot_open_the_socket(daemon: Daemon) -> None:
    await daemon.start()
    assert await ask_as(daemon.data, [SOMEBODY], "GET", "/v1/status") == ("EACCES", None)


async def test_sec13_a_member_of_the_sockets_group_may_look_and_change_nothing(daemon: Daemon) -> None:
    await daemon.start()
    os.chown(daemon.data / "control", -1, STAFF)
    status, body = await ask_as(daemon.data, [STAFF], "GET", "/v1/status")
    assert (status, body["role"]) == (200, "view")
    for method, target in (
        ("POST", "/v1/runs"),
        ("POST", "/v1/plan"),
        ("DELETE", "/v1/runs/digits"),
        ("POST", "/v1/restart"),
    ):
        status, body = await ask_as(daemon.data, [STAFF], method, target)
        assert (status, body["error"]["code"]) == (403, "needs_role"), target
    assert await daemon.ask("audit") is not None
    assert list(await daemon.ask("audit")) == []


async def test_sec13_a_role_is_given_by_group_and_taken_up_by_a_reload(daemon: Daemon) -> None:
    await daemon.start()
    os.chown(daemon.data / "control", -1, STAFF)
    (daemon.data / "crowdd.toml").write_text('[roles]\noperate = ["@daemon"]\nothers = "none"\n')
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)
    daemons = 1  # the group `daemon` of every Linux system
    with trio.fail_after(READY_S):
        while (await ask_as(daemon.data, [STAFF], "GET", "/v1/status"))[0] != 403:
            await trio.sleep(0.05)
    status, body = await ask_as(daemon.data, [STAFF, daemons], "GET", "/v1/status")
    assert (status, body["role"]) == (200, "operate")
    status, body = await ask_as(daemon.data, [STAFF, daemons], "POST", "/v1/runs/nothing/pause")
    assert (status, body["error"]["code"]) == (404, "no_such_run")
    assert (await ask_as(daemon.data, [STAFF, daemons], "POST", "/v1/runs"))[0] == 403
    [row] = list(await daemon.ask("audit"))
    assert (row.uid, row.who, row.what) == (SOMEBODY, "staff:nobody", "pause_run")
    assert row.outcome == "refused: no_such_run"
