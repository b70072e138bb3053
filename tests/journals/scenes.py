"""The live work whose journals are kept: each scene is a task, and what its workers did until the end."""

import json
import random
import shutil
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import attrs
import trio
from tests.daemon.group_pages import Member, member
from tests.daemon.live_pages import LivePage, live_page
from tests.daemon.test_describe_and_guess import Player
from tests.daemon.virtual import Virtual

import crowdd.examples
from crowdd.daemon.task_folder import load_task_code
from crowdd.storage.records import TaskRun

EXAMPLES = Path(crowdd.examples.__file__).parent
PAGE = '<!doctype html><title>Recorded</title><script src="crowdd.js"></script>\n'
PLAIN = """
name = "{name}"
[blueprint]
type = "{kind}"
{options}
[provider]
type = "inhouse"
"""
LEFT_OUT = ("page", "README.md", "convert.py", "player.py", "__pycache__")
AWAY = "3600"  # pages are not there when a journal is replayed, and nobody is to be taken for lost
EVERYTHING = """
from crowdd import NothingReceived

async def run_unit(unit, agent):
    rng = agent.random
    await agent.send({"began": (await agent.now()).isoformat(), "thrown": rng.randint(1, 6)})
    try:
        await agent.send({"heard": await agent.receive(timeout_s=5)})
    except NothingReceived:
        await agent.send({"heard": None})
    await agent.sleep(3)
    words = await agent.run_sync(count_words, unit.data["text"])
    await agent.send({"words": words, "thrown": rng.randint(1, 6)})
    async for update in agent.updates():
        await agent.send({"echo": update["text"], "at": (await agent.now()).isoformat()})

def count_words(text):
    return len(text.split())
"""
CALLED = """
def double(caller, args):
    return args * 2

async def slow(caller, args):
    import trio
    await caller.send({"wait": "a moment"})
    await trio.sleep(20)
    return "done"

functions = {"double": double, "slow": slow}
"""
QUIZ = """
async def run_onboarding(agent):
    await agent.send({"question": agent.unit.data["word"]})
    first = await agent.receive()
    await agent.send({"heard": first["text"], "and": agent.random.choice(["now", "then", "again"])})
    second = await agent.receive()
    return second["text"] == "right"

async def run_unit(unit, agent):
    async for update in agent.updates():
        await agent.send({"echo": update["text"]})
"""
TABLE = """
async def run_assignment(assignment, group):
    await group.send({"topic": group.random.choice(["tea", "coffee"])})
    async for agent, update in group.updates():
        await group.send({"from": agent.index, "text": update["text"]}, but=agent)
"""


@attrs.frozen
class Scene:
    """What is recorded under one name."""

    name: str
    title: str
    make: Callable[[Path], None]
    """Makes the task's folder."""
    play: Callable[[Virtual, TaskRun, AsyncExitStack], Awaitable[None]]
    """What workers do; pages are open when it returns."""
    overrides: Mapping[str, str] = attrs.field(factory=dict[str, str])


def example(name: str) -> Callable[[Path], None]:
    """An example as it is, with one row and an empty page."""

    def make(folder: Path) -> None:
        shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
        first = (EXAMPLES / name / "data.jsonl").read_text().splitlines()[0]
        _furnish(folder, first)

    return make


def plain(name: str, kind: str, code: str, options: str = "") -> Callable[[Path], None]:
    """A task of this code and one row."""

    def make(folder: Path) -> None:
        folder.mkdir()
        (folder / "task.toml").write_text(PLAIN.format(name=name, kind=kind, options=options).lstrip())
        (folder / "task.py").write_text(code.lstrip())
        _furnish(folder, '{"text": "some words to count"}')

    return make


def _furnish(folder: Path, row: str) -> None:
    (folder / "page").mkdir()
    (folder / "page" / "index.html").write_text(PAGE)
    (folder / "data.jsonl").write_text(f"{row}\n")


# --- what workers do


async def a_page(virtual: Virtual, run: TaskRun, stack: AsyncExitStack, worker: str) -> LivePage:
    page = await virtual.at_work(run, worker)
    return await stack.enter_async_context(live_page(page))


async def talk(virtual: Virtual, run: TaskRun, stack: AsyncExitStack) -> None:
    """Nothing is said in time, then two things are."""
    live = await a_page(virtual, run, stack, "ann")
    await live.until(3)
    for text in ("hello", "once more"):
        await live.send({"text": text})
    await live.until(5)


async def call(virtual: Virtual, run: TaskRun, stack: AsyncExitStack) -> None:
    """Two calls are answered, one is under way."""
    live = await a_page(virtual, run, stack, "ann")
    for number, (target, args) in enumerate((("double", 21), ("nothing", 1), ("slow", 0))):
        await live.send({"request_id": f"call {number}", "target": target, "args": json.dumps(args)})
    await live.until(3)


async def chat(virtual: Virtual, run: TaskRun, stack: AsyncExitStack) -> None:
    """Three lines of a conversation with a model."""
    live = await a_page(virtual, run, stack, "ann")
    before: list[str] = []
    for number, text in enumerate(("Hello, who are you?", "Why?", "Do you like cats?")):
        args = json.dumps({"text": text, "before": before})
        await live.send({"request_id": f"line {number}", "target": "reply", "args": args})
        told = (await live.until(number + 1))[-1]
        before.append(json.loads(told["response"])["text"])


async def quiz(virtual: Virtual, run: TaskRun, stack: AsyncExitStack) -> None:
    """One newcomer has answered the first question, another none."""
    ann = await a_page(virtual, run, stack, "ann")
    await a_page(virtual, run, stack, "bob")
    await ann.until(1)
    await ann.send({"text": "blue"})
    await ann.until(2)


async def table(virtual: Virtual, run: TaskRun, stack: AsyncExitStack) -> None:
    """One of three leaves for good, and a fourth takes the place."""
    ann, bob = [await stack.enter_async_context(member(virtual, run, name)) for name in ("ann", "bob")]
    async with member(virtual, run, "cem") as cem:
        await cem.becomes("in task")
        await cem.live.send({"text": "I must go"})
        await ann.live.until(2)
        await cem.page.doors.post("return_unit", {"USED_AGENT_ID": cem.page.agent}, 60)
    dan = await stack.enter_async_context(member(virtual, run, "dan"))
    await dan.becomes("in task")
    for one in (dan, ann):
        await one.live.send({"text": "hello"})
    await bob.live.until(4)


async def game(virtual: Virtual, run: TaskRun, stack: AsyncExitStack) -> None:
    """Two rounds of a game are over."""
    players = await _players(virtual, run, stack, "ann", "bob")
    async with trio.open_nursery() as nursery:
        for player in players:
            nursery.start_soon(player.play_until, "picked", 2)


async def game_alone(virtual: Virtual, run: TaskRun, stack: AsyncExitStack) -> None:
    """A round is over when the partner leaves for good; a program plays on with who stays."""
    async with AsyncExitStack() as bobs:
        ann, bob = await _players(virtual, run, stack, "ann", bobs=bobs)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ann.play_until, "picked", 1)
            nursery.start_soon(bob.play_until, "picked", 1)
        await bob.give_back()
    await ann.play_until("picked", 2)


class _Player(Player):
    def __init__(self, code: Any, one: Member, row: Mapping[str, Any], seed: int) -> None:
        super().__init__(code, one, seed)
        self.head = code.Head(row["rounds"], random.Random(seed))
        self._page = one.page

    async def give_back(self) -> None:
        await self._page.doors.post("return_unit", {"USED_AGENT_ID": self._page.agent}, 60)


async def _players(
    virtual: Virtual, run: TaskRun, stack: AsyncExitStack, *names: str, bobs: AsyncExitStack | None = None
) -> list[_Player]:
    folder = virtual.task_folder(run)
    code, row = load_task_code(folder), json.loads((folder / "data.jsonl").read_text())
    members = [await stack.enter_async_context(member(virtual, run, name)) for name in names]
    if bobs is not None:
        members.append(await bobs.enter_async_context(member(virtual, run, "bob")))
    for one in members:
        await one.becomes("in task")
    return [_Player(code, one, row, seed) for seed, one in enumerate(members)]


ONBOARDING = '[onboarding]\nqualification = "can talk"\ndata = { word = "blue" }'
AWAY_FOR_LONG = {"blueprint.drop_out.grace_s": AWAY}
SCENES = (
    Scene(
        "describe-and-guess",
        "the example: two rounds of three are over",
        example("describe-and-guess"),
        game,
        AWAY_FOR_LONG,
    ),
    Scene(
        "drop-out",
        "the same game, whose partner left after a round: a program plays on",
        example("describe-and-guess"),
        game_alone,
        AWAY_FOR_LONG,
    ),
    Scene("model-chat", "the example: three replies of a model", example("model-chat"), chat, AWAY_FOR_LONG),
    Scene(
        "calls",
        "functions that pages call: one answered, one refused, one under way",
        plain("calls", "remote_procedure", CALLED),
        call,
        AWAY_FOR_LONG,
    ),
    Scene(
        "onboarding",
        "two newcomers with whom code talks, at different places",
        plain("onboarding", "live", QUIZ, f"\n{ONBOARDING}"),
        quiz,
        AWAY_FOR_LONG,
    ),
    Scene(
        "everything",
        "what one worker's code can wait for: time, chance, a thread, a word in time, the next word",
        plain("everything", "live", EVERYTHING),
        talk,
        AWAY_FOR_LONG,
    ),
    Scene(
        "replaced",
        "a group of three in which a newcomer took the place of one who left",
        plain("replaced", "group", TABLE, "size_min = 3\nsize_max = 3"),
        table,
        AWAY_FOR_LONG | {"blueprint.drop_out.policy": "replace"},
    ),
)
