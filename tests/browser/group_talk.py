"""A group that talks: its task, and a tab for each worker, which notes what is said and given in it."""

import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import trio
from selenium.webdriver.chrome.webdriver import WebDriver

from crowdd.testing.checker import check_history
from crowdd.testing.facts import read_facts
from crowdd.testing.history import Entry, Spoke
from crowdd.testing.tables import DAEMON_TABLES

from ..system.processes import Daemon
from .cable import Cable
from .notes import NOTES_SCRIPT, in_order, notes_of
from .page import Page

NAMES = ("ann", "bob", "cat", "dan", "eve")
PATIENCE_S = 60.0  # five tabs, a daemon and a router that start: on a busy machine they take their time

TASK = """
name = "talk"
[blueprint]
type = "group"
size_min = {size_min}
size_max = {size}
[blueprint.drop_out]
{drop_out}
[limits]
assignment_duration_s = 1800
[provider]
type = "mock"
"""
CODE = """
async def run_assignment(assignment, group):
    for agent in group:
        await agent.send({"you": agent.index})
    async for agent, update in group.updates():
        await group.send({"who": agent.index, "text": update["text"]})

functions = {"add": lambda caller, args: {"sum": args["a"] + args["b"]}}
"""
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A talk</title>
<script>NOTES</script><script src="crowdd.js"></script></head><body>
<form data-crowdd="task"><h1>${topic}</h1><ol id="talk"></ol></form>
<script>
  let heard = [];
  let me = null;
  crowdd.on("unit", () => { heard = []; document.querySelector("#talk").replaceChildren(); });
  crowdd.on("update", (update) => {
    noteSeen(update);
    if (update.you !== undefined) { me = update.you; return; }
    heard.push([update.who, update.text]);
    const words = `${update.who}: ${update.text}`;
    document.querySelector("#talk").append(Object.assign(document.createElement("li"), {textContent: words}));
  });
  const say = (text) => crowdd.send({text});
  let sum = null;
  const add = (a, b) => { crowdd.call("add", {a, b}).then((result) => { sum = result.sum; }); };
</script></body></html>""".replace("NOTES", NOTES_SCRIPT)


def talk_task(folder: Path, size: int, drop_out: str = "grace_s = 120", size_min: int = 0) -> Path:
    """A task with one assignment for a group of this size, whose code tells everybody who said what."""
    task = folder / "task"
    (task / "page").mkdir(parents=True)
    settings = TASK.format(size=size, size_min=size_min or size, drop_out=drop_out)
    (task / "task.toml").write_text(settings)
    (task / "task.py").write_text(CODE)
    (task / "data.jsonl").write_text('{"topic": "the weather"}\n')
    (task / "page" / "index.html").write_text(PAGE)
    return task


def with_unchanged_page(task: Path, bundle: Path) -> Path:
    """The same task, its page made of the published mephisto-task."""
    shutil.copy(bundle / "bundle.js", task / "page" / "bundle.js")
    page = (bundle / "index.html").read_text()
    script = f"<script>{NOTES_SCRIPT}</script>"
    (task / "page" / "index.html").write_text(page.replace("<div", f"{script}\n  <div"))
    return task


class Tab(Page):
    """One worker's tab, with what was said in it."""

    _heard = "heard"
    _me = "me"

    def __init__(self, chromium: WebDriver, name: str, cable: Cable) -> None:
        """In the window that is in front now."""
        super().__init__(chromium, chromium.current_window_handle, PATIENCE_S)
        self.name = name
        self.said: list[str] = []
        self._cable = cable

    def come(self) -> None:
        """Come by the link at the cable's end."""
        self.driver.get(self._cable.link)

    def wait_at_work(self) -> None:
        self.wait_state("in task")

    def say(self, text: str) -> None:
        """Say something in this worker's name."""
        words = f"{self.name} {text}"
        assert self.run(f"say({words!r})") is True
        self.said.append(words)

    @property
    def heard(self) -> list[list[Any]]:
        """[who, text] of all that the present load of the page was given."""
        heard: list[list[Any]] = self.run(self._heard)
        return heard

    @property
    def seat(self) -> int:
        """Its place in the group, as it was told."""
        seat: int = self.run(self._me)
        return seat

    def wait_heard(self, count: int) -> None:
        self.wait_for(f"{self._heard}.length >= {count}")

    @contextmanager
    def without_network(self) -> Generator[None]:
        """Cut this worker's machine off. The browser is told; the router sees nothing but silence."""
        self.offline()
        self._cable.pull()
        try:
            yield
        finally:
            self._cable.plug_in()
            self.offline(False)

    def submit(self) -> None:
        """Ask for it to be saved."""
        self.run("void noteAnswer({heard: heard.length}, crowdd.submit)")

    def wait_saved(self) -> None:
        self.wait_state("completed")


class UnchangedTab(Tab):
    """The same with a page made of mephisto-task."""

    _heard = "mephisto.heard.filter((update) => 'who' in update).map(({who, text}) => [who, text])"
    _me = "mephisto.heard.find((update) => 'you' in update).you"

    def come(self) -> None:
        self.driver.get(f"{self._cable.link}&hook=live")

    def wait_at_work(self) -> None:
        self.wait_for("window.mephisto?.heard.some((update) => 'you' in update)")
        self.wait_connected()

    def wait_connected(self, since: int = 0) -> None:
        """Until this load of the page has its socket, one that came after so many."""
        self.wait_for(
            f"sockets.length > {since} && sockets.at(-1).readyState === WebSocket.OPEN"
            " && mephisto.connectionStatus === 'connected'"
        )

    def say(self, text: str) -> None:
        words = f"{self.name} {text}"
        self.run(f"mephisto.sendLiveUpdate({{text: {words!r}}}) && null")
        self.said.append(words)

    def submit(self) -> None:
        self.run("void noteAnswer({done: true}, mephisto.handleSubmit).then(() => { window.saved = true; })")

    def wait_saved(self) -> None:
        self.wait_for("window.saved")


@attrs.define(eq=False)
class Talk:
    """A group at work in its tabs."""

    daemon: Daemon
    label: str
    tabs: list[Tab]
    left: list[Tab] = attrs.Factory(list[Tab])
    """Whose tabs were closed."""
    _notes: list[Entry] = attrs.Factory(list[Entry])

    async def all_hear_all(self) -> None:
        """Until every tab was given every word, each speaker's in the order of speaking, all in one order."""
        words = sum(len(tab.said) for tab in self._everybody)
        for tab in self.tabs:
            tab.wait_heard(words)
        first = self.tabs[0].heard
        assert [tab.heard for tab in self.tabs] == [first] * len(self.tabs)
        spoken = [[text for _, text in first if text.split()[0] == tab.name] for tab in self._everybody]
        assert spoken == [tab.said for tab in self._everybody]
        for tab in self.tabs:
            mine = [text for who, text in first if who == tab.seat]
            assert mine == tab.said

    def all_say(self, text: str, times: int = 2) -> None:
        for number in range(times):
            for tab in self.tabs:
                tab.say(f"{text} {number}")

    def close(self, tab: Tab) -> None:
        """Close a worker's tab for good."""
        self._notes += notes_of(tab.name, tab)
        tab.driver.close()
        self.tabs.remove(tab)
        self.left.append(tab)

    async def all_submit(self) -> None:
        for tab in self.tabs:
            tab.submit()
        for tab in self.tabs:
            tab.wait_saved()
        await self.daemon.until(self.label, lambda shown: shown.state == "completed")

    async def broken_promises(self) -> list[str]:
        """What the history checker finds in all that the tabs noted, once the daemon is stopped."""
        notes = [*self._notes, *(one for tab in self.tabs for one in notes_of(tab.name, tab))]
        said = [one for one in notes if isinstance(one, Spoke)]
        assert len(said) >= sum(len(tab.said) for tab in self._everybody)
        return await violations(self.daemon, in_order(notes))

    @property
    def _everybody(self) -> Sequence[Tab]:
        return [*self.tabs, *self.left]


async def violations(daemon: Daemon, entries: Sequence[Entry]) -> list[str]:
    """Stops the daemon, and compares its store with what pages noted."""
    assert await daemon.terminate() == 0, daemon.log
    async with daemon.store() as storage:
        (run,) = await storage.runs()
        facts = await read_facts(storage, run.id)
    return [str(violation) for violation in check_history(entries, facts, DAEMON_TABLES)]


async def new_router(daemon: Daemon, before: list[int]) -> None:
    """Until the daemon's architect has started another router process."""
    with trio.fail_after(PATIENCE_S):
        while not set(daemon.router_pids()) - {*before}:
            await trio.sleep(0.05)
