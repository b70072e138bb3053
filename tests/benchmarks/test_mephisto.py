"""The driver of the peer, with an interpreter that only plays Mephisto. 5 s in sum."""

import subprocess
import sys
from pathlib import Path

import pytest
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


def test_settings_with_defaults_that_can_change_get_a_copy_each() -> None:
    subprocess.run([sys.executable, "-c", SHIM], cwd=ROOT, check=True)
