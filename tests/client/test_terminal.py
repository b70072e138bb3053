"""What others wrote does nothing to a terminal (SEC18), and tables hold."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import attrs
import pytest
import trio

from crowdd.client.commands.export import harmless_lines
from crowdd.client.crowdctl import main
from crowdd.client.terminal import json_safe, safe
from crowdd.storage.admission import NewDecision

from ..control.fakes import NOW, Desk

ATTACKS = {
    "colour": "\x1b[31mred",
    "title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;cm0gLXJmIC8=\x07",
    "link": "\x1b]8;;http://evil\x1b\\click",
    "one-byte introducer": "\x9b2J",
    "carriage return": "ok\rROOT",
    "new line": "ok\nROOT: all is well",
    "backspace": "ok\x08\x08no",
    "delete": "\x7f\x7f",
    "bell": "\x07",
    "nul": "\x00",
    "right to left": "\u202egpj.exe",
    "isolate": "\u2066x\u2069",
    "line separator": "a\u2028b\u2029c",
    "zero width": "a\u200bb\ufeffc",
    "tags": "\U000e0041",
    "next line": "a\x85b",
}


def acts(text: str) -> bool:
    return any(not character.isprintable() for character in text)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_sec18_an_attack_is_shown_and_not_carried_out(attack: str) -> None:
    assert acts(attack)
    assert not acts(safe(attack))
    assert "\\" in safe(attack)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_json_stays_the_same_json(attack: str) -> None:
    line = json.dumps({"text": attack + " \\x41 é"}, ensure_ascii=False)
    assert not acts(json_safe(line))
    assert json.loads(json_safe(line)) == json.loads(line)


@pytest.mark.parametrize("text", ["plain", "Zoë Müller", "日本語", "naïve — “quoted”", "👍🏽", "C:\\new"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert safe(text) == text


def test_lines_survive_however_they_are_cut_into_pieces() -> None:
    whole = '{"a": "é\u202e"}\n{"b": 1}\nlast'.encode()
    pieces = [whole[n : n + 1] for n in range(len(whole))]
    assert b"".join(harmless_lines(pieces)).decode() == '{"a": "é\\u202e"}\n{"b": 1}\nlast\n'


async def hostile(desk: Desk) -> None:
    """A run whose workers are called attacks, answer with them, and whose pages fail with them."""
    operator = desk.operator
    run = await operator.a_run("digits", units=len(ATTACKS) + 3)
    for attack in ATTACKS.values():
        agent = await operator.submitted(run, attack, {"answer": attack, attack: 1})
        failed = {"error": attack, "text": attack, "traceback": f"{attack}\n{attack}", "message": attack}
        await operator.storage.add_error(run.id, agent.id, "page", failed, NOW)
        facts = {"worker": {"name": attack}, "why": attack, attack: attack}
        decision = NewDecision(run.id, agent.worker_id, "admission", "refused", attack, facts, agent.id)
        await operator.storage.record_decision(decision, NOW)
    await operator.storage.set_trouble(run.id, "".join(ATTACKS.values()))
    await operator.waited(run, ATTACKS["title"], 60, 5)
    operator.extended = attrs.evolve(operator.extended, rows_after_code=True)


EVERY = {
    "agents": ["digits"],
    "approve": ["--run", "digits", "--worker", "1"],
    "audit": [],
    "block": ["1", "--reason", "x"],
    "delete": ["digits", "--yes"],
    "disk": [],
    "errors": ["digits"],
    "expire": ["digits"],
    "extend": ["digits", "--pay", "0.3"],
    "grant": ["1", "trained"],
    "late": ["digits"],
    "launch": ["nowhere"],
    "links": ["digits", "--workers", "ann"],
    "log": [],
    "options": ["task"],
    "owed": ["digits"],
    "pause": ["digits"],
    "pay-late": ["digits", "1"],
    "qualifications": ["describe", "trained"],
    "reject": ["1", "--note", "x"],
    "reload": [],
    "restart": [],
    "resume": ["digits"],
    "revoke": ["1", "trained"],
    "runs": [],
    "show": ["digits"],
    "soft-reject": ["2", "--note", "x"],
    "status": [],
    "stop": ["digits"],
    "unblock": ["1"],
    "units": ["digits"],
    "wait": ["digits", "--timeout", "0.1"],
    "watch": ["gone"],
    "why": ["worker", "1"],
    "worker": ["1"],
    "workers": [],
}
MORE = ("errors digits --traceback", "agents digits --json", "why unit 1", "why agent 1")
ON_A_TERMINAL = {"export"}  # in a pipe it gives data, byte by byte
ELSEWHERE = {"backup"}  # writes a file, and says how large it is


def test_sec18_every_command_is_tried_with_what_workers_wrote() -> None:
    assert EVERY.keys() | ON_A_TERMINAL | ELSEWHERE >= main.commands.keys()


@pytest.mark.parametrize("command", [*(f"{name} {' '.join(words)}" for name, words in EVERY.items()), *MORE])
async def test_sec18_nothing_that_a_worker_wrote_acts_on_a_pipe(desk: Desk, command: str) -> None:
    await hostile(desk)
    await desk.operator.storage.create_qualification("trained", None, NOW, "staff:ada")
    result = await desk.crowdctl(*command.split())
    output = result.output
    assert output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert not acts(output.replace("\n", "").replace("\r\n", ""))


def on_a_terminal(socket: Path, *arguments: str, columns: int = 200) -> str:
    """What crowdctl writes to a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "crowdd.client", "--socket", str(socket), *arguments]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": str(columns)}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        written = b""
        try:
            while piece := os.read(ours, 65536):
                written += piece
        except OSError:
            pass  # Linux says EIO when the last writer has gone
        process.wait(20)
    os.close(ours)
    return written.decode()


@pytest.mark.parametrize(
    "command", ["agents digits", "show digits", "export digits", "export digits --format csv"]
)
async def test_sec18_nothing_that_a_worker_wrote_acts_on_a_terminal(desk: Desk, command: str) -> None:
    await hostile(desk)
    written = await trio.to_thread.run_sync(on_a_terminal, desk.socket, *command.split())
    for attack in ATTACKS.values():
        assert attack not in written
    for introducer in ("\x1b]", "\x9b", "\x07", "\x1b[31mred", "\u202e"):
        assert introducer not in written


async def test_a_terminal_gets_a_drawn_table(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    written = await trio.to_thread.run_sync(on_a_terminal, desk.socket, "runs")
    assert "─" in written
    assert "digits" in written


async def test_a_link_is_whole_on_a_terminal_that_is_narrower(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    written = await trio.to_thread.run_sync(
        lambda: on_a_terminal(desk.socket, "links", "digits", "--workers", "ann" * 30, columns=80)
    )
    piped = (await desk.crowdctl("links", "digits", "--workers", "ann" * 30)).output
    assert "…" not in written
    assert written.splitlines()[1].startswith(piped.splitlines()[1].split()[0] + "  http")


@pytest.mark.parametrize("columns", [30, 50, 60, 72, 80, 100])
async def test_no_cell_of_a_table_is_cut_short(desk: Desk, columns: int) -> None:
    run = await desk.operator.a_run("which-of-these-headlines")
    await desk.operator.submitted(run, "somebody with a long name", {})
    written = await trio.to_thread.run_sync(
        lambda: on_a_terminal(desk.socket, "agents", run.label, columns=columns)
    )
    assert "…" not in written
    whole = written if "─" in written else written.replace("\r\n", "")
    for word in ("somebody", "completed", "ENDED"):
        assert word in whole
    (year,) = {line[:4] for line in (await desk.crowdctl("agents", run.label)).output.split() if "-" in line}
    assert whole.count(f"{year}-") == 2  # when they came and ended


async def test_watch_on_a_terminal_ends_with_the_run_and_says_what_next(desk: Desk) -> None:
    from crowdd.protocol.names import RunState

    run = await desk.operator.a_run("digits", units=1)
    await desk.operator.submitted(run, "ann", {})
    await desk.operator.move(run.id, RunState.COMPLETED)
    written = await trio.to_thread.run_sync(on_a_terminal, desk.socket, "watch", "digits")
    assert "1/1" in written
    assert "Run digits has ended: completed.\r\nNext: crowdctl export digits -o digits.jsonl" in written
