"""The driver of the peer, with an interpreter that only plays Mephisto. 15 s in sum."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import trio
import trio_websocket
from benchmarks.crowd_of_pages import open_pages
from benchmarks.instrument.row import Recorded
from benchmarks.instrument.sample import Figure
from benchmarks.mephisto import MephistoFailed, mephisto_or, open_launches, open_mephisto, open_visits

pytestmark = pytest.mark.system

ROOT = Path(__file__).parent.parent.parent
PLAYED = f"""#!{sys.executable}
import http.server, json, os, sys, threading

class Router(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{{"data": {{"agent_id": "1"}}}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

isolated, program, kind, units, folder, port = sys.argv[1:]
assert isolated == "-I" and program.endswith("mephisto_process.py") and os.path.isdir(folder)
router = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Router)
threading.Thread(target=router.serve_forever, daemon=True).start()
print(json.dumps({{"took_s": int(units) / 10, "cpu_s": 0.5, "pids": [os.getpid()]}}), flush=True)
sys.stdin.read()
"""
SHIM = """
import dataclasses
from benchmarks.mephisto_process import _allow_defaults
_allow_defaults()
@dataclasses.dataclass
class Task:
    words: str = "a"
@dataclasses.dataclass
class Settings:
    task: Task = Task()
    other: Task = dataclasses.field(default=Task("b"))
assert Settings().task.words == "a" and Settings().other.words == "b"
assert Settings().task is not Settings().task
"""
ROUTER_JS = """
socket.send(packet, function ack(error) {
  if (error === undefined) {
    socket.send(packet, function ack2(error2) { if (error2 === undefined) { return; } });
"""
BUILD = """
import sys
from benchmarks.mephisto_process import _sends_once
assert _sends_once(lambda folder: folder)(sys.argv[1]) == sys.argv[1]
"""
ECHO = """
import queue, threading
from types import SimpleNamespace
from benchmarks.mephisto_process import _echo

class Agent:
    pending = queue.SimpleQueue()
    has_live_update = threading.Event()
    looked = threading.Event()

    def get_live_update(self, timeout=None):
        assert timeout is None, "its own wait would end the agent here"
        if not self.pending.empty():
            return self.pending.get()
        self.looked.set()

    def observe(self, update):
        print(update)
        runner.running_units.clear()

agent, runner = Agent(), SimpleNamespace(running_units={"1"})
echoing = threading.Thread(target=_echo, args=(runner, SimpleNamespace(db_id="1"), agent))
agent.has_live_update.set()
echoing.start()
agent.looked.wait()
agent.pending.put("words")
agent.has_live_update.set()
echoing.join()
"""


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An interpreter that has Mephisto, as far as anybody is told."""
    interpreter = tmp_path / "python"
    interpreter.write_text(PLAYED)
    interpreter.chmod(0o700)
    monkeypatch.setenv("MEPHISTO_PYTHON", str(interpreter))
    return interpreter


async def test_a_launch_tells_how_long_it_took_and_leaves_no_process(played: Path) -> None:
    async with open_launches(40) as measure:
        assert (await measure()).figures()[Figure.TIME_US] == 4e6
    async with open_mephisto("live", 1) as mephisto:
        (pid,) = mephisto.pids
        assert Path(f"/proc/{pid}").exists()
    assert not Path(f"/proc/{pid}").exists()


async def test_visits_are_counted_with_its_cpu_time_and_how_long_each_waited(played: Path) -> None:
    async with open_visits(10, 20, submit=True) as measure:
        sample = await measure()
    assert sample.operations == len(sample.waits_s) == 20
    assert sample.cpu_s > 0


async def test_what_is_recorded_stands_where_no_interpreter_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEPHISTO_PYTHON", raising=False)
    recorded = Recorded({Figure.PER_S: 16.0})
    async with mephisto_or(recorded, lambda: open_launches(1)) as baseline:
        assert baseline is recorded


async def test_a_mephisto_that_ends_at_once_says_why(played: Path) -> None:
    played.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('no module named mephisto')\n")
    with pytest.raises(MephistoFailed, match="no module named mephisto"):
        async with open_mephisto("static", 1):
            pass


async def test_who_is_refused_ends_the_measurement_and_says_why(played: Path) -> None:
    played.write_text(PLAYED.replace('"agent_id": "1"', '"agent_id": null, "failure_reason": "no work"'))
    async with open_visits(10, 20, submit=False) as measure:
        with pytest.raises(RuntimeError, match="no work"):
            await measure()


async def test_a_server_that_never_answers_ends_the_measurement(
    played: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.load.WITHIN_S", 3.0)  # of a process that starts, too
    played.write_text(PLAYED.replace("body = ", "threading.Event().wait(); body = "))
    async with open_visits(10, 20, submit=False) as measure:
        with pytest.raises(RuntimeError, match="not all was answered"):
            await measure()


async def test_what_a_router_says_again_is_neither_counted_nor_answered() -> None:
    echoed = 0

    async def serve(request: trio_websocket.WebSocketRequest) -> None:
        nonlocal echoed
        socket = await request.accept()
        while True:
            packet = json.loads(await socket.get_message())
            if packet["packet_type"] == "mephisto_bound_live_update":
                echo = json.dumps({"packet_type": "client_bound_live_update", "data": packet["data"]})
                await socket.send_message(echo)
                await socket.send_message(echo)
                echoed += 1

    async with trio.open_nursery() as nursery, open_pages(1) as crowd:
        served = partial(trio_websocket.serve_websocket, serve, "127.0.0.1", 0, ssl_context=None)
        server = await nursery.start(served)
        where = {"port": server.port, "host_header": "127.0.0.1"}
        await crowd.open([{"number": 1, "agent": "1", "where": where}])
        talked = await crowd.do("flood", at_once=1, warm_s=0.1, for_s=0.1, settle_s=0.1)
        nursery.cancel_scope.cancel()
    assert talked.sum("said") == talked.sum("repeats") == echoed > 0


def test_its_router_is_mended_to_take_no_kind_of_no_error_for_one(tmp_path: Path) -> None:
    (tmp_path / "server.js").write_text(ROUTER_JS)
    subprocess.run([sys.executable, "-c", BUILD, str(tmp_path)], cwd=ROOT, check=True)
    assert (tmp_path / "server.js").read_text() == ROUTER_JS.replace("=== undefined", "== null")


def test_an_agent_goes_on_when_an_update_was_taken_before_it_was_signalled() -> None:
    told = subprocess.run([sys.executable, "-c", ECHO], cwd=ROOT, check=True, capture_output=True, text=True)
    assert told.stdout == "words\n"


def test_settings_with_defaults_that_can_change_get_a_copy_each() -> None:
    subprocess.run([sys.executable, "-c", SHIM], cwd=ROOT, check=True)
