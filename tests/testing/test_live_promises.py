"""The promises of live blueprints (S35): ours keep them, and each is broken by something."""

from pathlib import Path
from typing import Any

import pytest

from crowdd.daemon.blueprints.group import GroupBlueprint
from crowdd.daemon.blueprints.live import LiveBlueprint
from crowdd.daemon.blueprints.live_contract import GroupDropOut, Policy, Resume
from crowdd.daemon.blueprints.mock import MockBlueprint
from crowdd.daemon.blueprints.remote_procedure import RemoteProcedureBlueprint
from crowdd.testing.players import load_player
from crowdd.testing.plug_ins import PromiseBroken, a_material, certify_blueprint

PAGE = '<script src="crowdd.js"></script><form><input name="answer"></form>'
FILES = {"page/index.html": PAGE, "data.jsonl": '{"a": 1}\n{"a": 2}\n'}
GREETING = """
async def run_unit(unit, agent):
    await agent.send({"hello": unit.data["a"], "dice": agent.random.random()})
    async for update in agent.updates():
        await agent.send({"echo": update})
"""
FUNCTIONS = "functions = {'double': lambda caller, args: args * 2}\n"


def test_live_blueprints_of_ours_keep_theirs(tmp_path: Path) -> None:
    certify_blueprint(LiveBlueprint, a_material(tmp_path, {**FILES, "task.py": GREETING}))
    certify_blueprint(RemoteProcedureBlueprint, a_material(tmp_path, {**FILES, "task.py": FUNCTIONS}))
    (tmp_path / "task.py").unlink()
    certify_blueprint(MockBlueprint, a_material(tmp_path), live=True)
    certify_blueprint(MockBlueprint, a_material(tmp_path), group=3)


FAILS = """
async def run_unit(unit, agent):
    raise ValueError("planted")
"""
HANGS = """
import trio
from crowdd import AgentDisconnected
async def run_unit(unit, agent):
    try:
        await agent.submitted()
    except AgentDisconnected:
        await trio.sleep_forever()
"""
CHANCY = """
import itertools
runs = itertools.count()
async def run_unit(unit, agent):
    for _ in range(next(runs) % 2):
        await agent.now()
    await agent.send({"n": 1})
    await agent.submitted()
"""


GROUP = """
from crowdd import GroupEnded

async def run_assignment(assignment, group):
    await group.send({"players": len(group)})
    try:
        async for agent, update in group.updates():
            await group.send(update, but=agent)
    except GroupEnded as ended:
        await group.send({"left": ended.agent.index}, but=ended.agent)

async def simulated_partner(partner):
    return {"answer": "simulated"}
"""


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"size_max": 3, "drop_out": GroupDropOut(policy=Policy.GO_ON)},
        {"drop_out": GroupDropOut(policy=Policy.REPLACE, replace_s=60)},
        {"drop_out": GroupDropOut(policy=Policy.SIMULATED)},
        {"resume": Resume.END},
    ],
    ids=["end", "go_on", "replace", "simulated", "no replay"],
)
def test_groups_keep_their_promises_whatever_becomes_of_them(tmp_path: Path, options: Any) -> None:
    certify_blueprint(GroupBlueprint, a_material(tmp_path, {**FILES, "task.py": GROUP}), **options)


@pytest.mark.parametrize(
    ("code", "broken", "why"),
    [
        (FAILS, "workers who submit complete it", "planted"),
        (
            HANGS,
            "a worker who leaves ends their part and no other is left hanging",
            "its code still runs 30 s after all workers have gone",
        ),
        (CHANCY, "its code goes on where it was after a restart", "ReplayDiverged"),
    ],
)
def test_code_that_breaks_a_promise_is_found(tmp_path: Path, code: str, broken: str, why: str) -> None:
    with pytest.raises(PromiseBroken) as refused:
        certify_blueprint(LiveBlueprint, a_material(tmp_path, {**FILES, "task.py": code}))
    told = [line for line in str(refused.value).splitlines() if line.startswith(f"- {broken}: ")]
    assert told
    assert why in told[0]


TALK = """
async def run_assignment(assignment, group):
    async for agent, update in group.updates():
        await group.send(update, but=agent)

functions = {"shout": lambda caller, args: args.upper()}
"""
TALKER = """
async def play(page, data, rng):
    await page.send({"text": "hi"})
    assert (await page.receive()) == {"text": "hi"}
    assert await page.call("shout", "abc") == "ABC"
    return {"talked": True}
"""


def test_workers_on_the_bench_play_as_they_are_told(tmp_path: Path) -> None:
    (tmp_path / "player.py").write_text(TALKER)
    player = load_player(tmp_path / "player.py")
    certify_blueprint(GroupBlueprint, a_material(tmp_path, {**FILES, "task.py": TALK}), player)
