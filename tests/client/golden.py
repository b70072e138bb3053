"""crowdctl's page of the reference: the help of every command and its answers, empty states and errors too.

The story is told to the real commands, over the real control API, about an operator on memory storage with a
clock that stands still. A new command needs a scene or two here, and its examples in client/topics.py.
"""

import os
import pwd
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import click
import trio
from click.testing import CliRunner

from crowdd import __version__
from crowdd.client.crowdctl import main
from crowdd.client.topics import OTHER, TOPICS, topic_of
from crowdd.daemon.grouping import Room
from crowdd.daemon.reloading import Reloaded
from crowdd.daemon.structuring import Faults
from crowdd.protocol.names import AssignmentId, RunState
from crowdd.storage.records import TaskRun

from ..control.fakes import NOW, Desk

WIDTH = 90
_CHANGING = (
    (re.compile(r"^\d\d:\d\d:\d\d(?=  )", re.MULTILINE), "12:00:00"),
    (re.compile(r"guest-[0-9a-f]{8}"), "guest-1f2e3d4c"),
    (re.compile(r'"[^"]*/scratch/task-[^/"]+/'), '"/var/lib/crowdd/scratch/task-1a2b3c/'),
)
INTRODUCTION = """# The command crowdctl

*This page is made from the code by `make reference`; change it there. The real commands gave the answers.*

`crowdctl` asks a daemon that runs, over its control socket. All it says is there for programs, too: `--json`.
In a pipe, tables are plain aligned columns; on a terminal they are drawn.
"""
TASK: Mapping[str, str] = {
    "my-task/task.toml": 'name = "my task"\n',
    "my-task/data.jsonl": '{"text": "hello"}\n',
    "my-task/page/index.html": '<script src="crowdd.js"></script><form>${text} <input name="mood">'
    "<button>Send</button></form>",
    "broken-task/task.toml": 'name = "broken task"\n',
    "broken-task/task.py": "import no_such_module\n",
    "more.jsonl": '{"text": "again"}\n',
    "bad-task/task.toml": 'name = "bad task"\ntitel = "Oops"\n[limits]\ngrace_s = "20"\n',
}


@attrs.frozen
class Scene:
    """One command line and its answer."""

    caption: str
    line: str
    output: str
    status: int


@attrs.define(eq=False)
class Story:
    """Types commands at a desk and remembers the answers. The current folder holds the tasks."""

    desk: Desk
    scenes: dict[str, list[Scene]] = attrs.Factory(dict[str, list[Scene]])

    async def type(self, line: str, caption: str = "") -> None:
        """One call of crowdctl, which the page shows under its command."""
        command = shlex.split(line)[0]
        result = await trio.to_thread.run_sync(self._call, self.desk.socket, line)
        said = self._always_the_same(result[0])
        self.scenes.setdefault(command, []).append(Scene(caption, line, said, result[1]))

    async def type_without_daemon(self, line: str, caption: str) -> None:
        """The same where no daemon runs."""
        output, status = await trio.to_thread.run_sync(self._call, Path("crowdd-data/control"), line)
        scene = Scene(caption, line, self._always_the_same(output), status)
        self.scenes.setdefault(shlex.split(line)[0], []).append(scene)

    def _call(self, socket: Path, line: str) -> tuple[str, int]:
        runner = CliRunner(env={"COLUMNS": str(WIDTH)})
        words = ["--socket", str(socket), *shlex.split(line)]
        result = runner.invoke(main, words, prog_name="crowdctl")
        return result.output, result.exit_code

    def _always_the_same(self, output: str) -> str:
        """Without what this machine, its user and the version put into it."""
        user = pwd.getpwuid(os.getuid()).pw_name
        for changing, instead in (
            (str(Path.cwd() / "crowdd-data/control"), "crowdd-data/control"),
            (str(self.desk.socket), "/run/crowdd/control"),
            (f"staff:{user}", "staff:eve"),
            (f"crowdd {__version__}", "crowdd 1.2.3"),
        ):
            output = output.replace(changing, instead)
        for pattern, instead in _CHANGING:
            output = pattern.sub(instead, output)
        return output


async def tell(story: Story) -> None:
    """Everything that the page shows, in an order in which it can happen."""
    for name, content in TASK.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(content)
    await _before_anything(story)
    digits = await _launched(story)
    await _at_work(story, digits)
    await _people(story)
    await _reviewed(story, digits)
    await _waiting(story)
    await _changed(story)
    await _ended(story, digits)


async def _before_anything(story: Story) -> None:
    await story.type_without_daemon("status", "When no daemon runs (every command says so, exit status 3):")
    await story.type("status", "Before the first run:")
    await story.type("runs", "Before the first run:")
    await story.type("workers", "Before anybody came:")
    await story.type("qualifications", "Before there is one:")
    await story.type("disk", "Before the first run:")
    await story.type("show digits", "A run that is not there (exit status 4, as with every command):")
    await story.type("log")
    await story.type("log daemon.worker_pool debug")
    await story.type("log daemon.workerpool debug", "A part that is not there:")
    await story.type("log all info")
    await story.type("options")
    await story.type("options provider inhouse")
    await story.type("options provider inhose", "A name that is not there:")


async def _launched(story: Story) -> TaskRun:
    await story.type("launch nowhere", "A folder that is no task:")
    await story.type(
        "launch bad-task --dry-run", "Everything that is wrong is told at once; nothing is launched:"
    )
    await story.type("launch broken-task --dry-run", "Code of the task's own that cannot be loaded:")
    await story.type("launch my-task --dry-run")
    await story.type("launch my-task label=digits")
    await story.type("show digist", "A slip in its name:")
    await story.type("launch my-task fast", "What is no KEY=VALUE:")
    await story.type("links digits --workers ann,bob")
    await story.type("links digits --count 2")
    await story.type("links digits", "For whom?")
    await story.type("units digits")
    await story.type("units digits --status completed", "None of these:")
    await story.type("agents digits", "Before anybody came:")
    await story.type("errors digits", "When all is well:")
    await story.type("export digits -o digits.jsonl", "Before anybody submitted:")
    return await story.desk.operator.storage.run_by_label("digits")


async def _at_work(story: Story, run: TaskRun) -> None:
    operator = story.desk.operator
    await operator.submitted(run, "ann", {"label": "7"})
    bob = (await operator.at_work(run, "bob")).agent
    told = {"message": "pixels is null", "stack": "at draw (digits.js:3)\nat show (digits.js:40)"}
    await operator.storage.add_error(run.id, bob.id, "page", told, NOW)
    await story.type("block inhouse:bob --reason 'answers at random'", "Somebody who is at work:")
    await story.type("block bob --reason 'answers at random'", "Again:")
    for line in ("status", "runs", "show digits", "units digits", "agents digits", "disk", "workers"):
        await story.type(line)
    await story.type("runs --state failed", "None of these:")
    await story.type("agents digits --status completed")
    await story.type("errors digits")
    await story.type("errors digits --traceback")
    await story.type("worker inhouse:ann")
    await story.type("worker inhouse:bob", "Somebody who was blocked:")
    await story.type("worker inhouse:eve", "Somebody who never came:")
    await story.type("wait digits --timeout 0", "When the time is over (exit status 6):")


async def _people(story: Story) -> None:
    await story.type("unblock bob")
    await story.type("unblock bob", "Again:")
    await story.type("block bob", "Without a reason:")
    await story.type("qualifications create trained --description 'passed the training'")
    await story.type("qualifications create trained", "Again:")
    await story.type("grant ann trained")
    await story.type("grant inhouse:ann trained 3 --why 'second test'")
    await story.type("grant ann trainde", "A qualification that is not there:")
    await story.type("grant eve trained", "Somebody who never came:")
    await story.type("qualifications")
    await story.type("qualifications describe trained")
    await story.type("qualifications history trained")
    await story.type("revoke ann trained", "A qualification:")
    await story.type("revoke ann trained", "Again:")
    await story.type("qualifications delete trained --yes")


async def _reviewed(story: Story, run: TaskRun) -> None:
    operator = story.desk.operator
    await story.type("approve 1")
    await story.type("approve 1", "Again:")
    await story.type("reject 1 --note empty", "What was approved:")
    await story.type("reject 2 --note empty", "Somebody who is still at work:")
    await story.type("reject 1", "Without a reason:")
    await operator.submitted(run, "cem", {"label": "1"})
    await story.type("soft-reject --unit 3 --note 'hardly readable'")
    await story.type("why agent 1")
    await story.type("why unit 2")
    await story.type("why worker ann --run digits")
    await story.type("why agent 99", "One that is not there:")
    await story.type("why ann", "Of what kind it is has to be said:")
    await story.type("approve digits 1", "Agents have numbers:")
    await story.type("approve 99", "Somebody who is not there:")
    await story.type("approve --run digits --yes", "When all is reviewed:")


async def _waiting(story: Story) -> None:
    operator = story.desk.operator
    game = await operator.a_run("game", units=2)
    operator.lives[game.id].groups = [
        Room(AssignmentId(5), here=1, away=0, simulated=0, size=2, waited_s=150, left_s=450)
    ]
    await story.type("show game", "A group task in which somebody waits for a partner:")
    await story.type("owed game", "When nobody waited in vain:")
    await operator.waited(game, "dan", 605, 51)
    await operator.waited(game, "eva", 62, 6)
    await story.type("owed game")
    await story.type("late game", "When every answer counts:")
    await operator.came_late(game)
    await story.type("late game")
    await story.type("pay-late game 1", "Its worker has the unit:")
    await story.type("pay-late game 2 --amount 0.30", "Nobody's that this store knows:")
    await operator.gave_back(game)
    await story.type("pay-late game 1", "A unit that is worth nothing:")
    await story.type("pay-late game 1 --amount 0.30 --note 'thank you all the same'")
    await story.type("pay-late game 1", "Again:")
    await story.type("pay-late game 1 --amount 0.40", "Again, and more:")
    await story.type("pay-late game 9", "One that is not there:")
    await story.type("pay-late game 1 --amount 3,5", "An amount that is none:")
    await story.type("late game", "Afterwards:")


async def _changed(story: Story) -> None:
    await story.type("revoke --run digits --worker bob")
    await story.type("revoke --run digits --worker bob", "Again:")
    await story.type("revoke --run digits --worker nobody", "A worker without a link:")
    await story.type("pause digits --why lunch")
    await story.type("pause digits", "Again:")
    await story.type("resume digits")
    await story.type("resume digits", "Again:")
    await story.type("extend digits --rows more.jsonl --pay 0.30")
    await story.type("extend digits nonsense=1", "Everything that is wrong is told at once:")
    await story.type("extend digits", "Nothing to change:")
    await story.type("expire digits")
    await story.type("expire digits", "Again:")


async def _ended(story: Story, run: TaskRun) -> None:
    await story.type("delete digits --yes", "A run that has not ended:")
    await story.type("stop digits")
    await story.type("stop digits --now")
    await story.type("stop digits", "A run that has ended:")
    await story.type("extend digits --pay 0.30", "A run that has ended:")
    await story.type("watch digits", "In a pipe, a line for each change; a run that has ended:")
    await story.type("wait digits", "Stopped is not completed (exit status 5):")
    await story.desk.operator.a_run("done", units=0)
    await story.desk.operator.move(
        (await story.desk.operator.storage.run_by_label("done")).id, RunState.COMPLETED
    )
    await story.type("wait done")
    await story.type("export digits")
    await story.type("export digits --format csv")
    await story.type("export digits -o digits.jsonl")
    await story.type("delete digits", "In a script nobody can be asked:")
    await story.type("delete digits --yes")
    await story.type("delete digits --yes", "A run that is not there:")
    await story.type("audit --about digits")
    await story.type("audit --about nothing")
    await story.type("reload")
    change = 'log.level: ["info"] is now ["debug"] (/etc/crowdd/crowdd.toml:2)'
    story.desk.operator.reloaded = Reloaded(
        (change,), ("pace.linger_s: 600.0 is now 5.0 (/etc/crowdd/crowdd.toml:5)",)
    )
    await story.type("reload", "After a change:")
    story.desk.operator.reloaded = Faults(["/etc/crowdd/crowdd.toml:1: lgo: unknown; did you mean 'log'?"])
    await story.type("reload", "A file with a fault changes nothing:")
    await story.type("backup crowdd-backup.tar")
    await story.type("restart", "A daemon that is no service:")


# --- the page


def page(story: Story) -> str:
    """The whole page, by topic."""
    return "".join([INTRODUCTION, _help(main, "crowdctl"), *_sections(story)])


def _sections(story: Story) -> Iterator[str]:
    for topic in (*TOPICS, OTHER):
        names = [name for name in main.commands if topic_of(name) == topic]
        if names:
            yield f"\n## {topic}\n"
        for name in sorted(names, key=[*TOPICS.get(topic, names)].index):
            yield f"\n### crowdctl {name}\n"
            yield from _command(main.commands[name], f"crowdctl {name}")
            yield from map(_scene, story.scenes.get(name, ()))


def _command(command: click.Command, path: str) -> Iterator[str]:
    yield _help(command, path)
    for name, inner in command.commands.items() if isinstance(command, click.Group) else ():
        yield from _command(inner, f"{path} {name}")


def _help(command: click.Command, path: str) -> str:
    settings = dict(main.context_settings)
    with click.Context(
        command, info_name=path, terminal_width=WIDTH, max_content_width=WIDTH, **settings
    ) as context:
        said = "".join(f"{line.rstrip()}\n" for line in command.get_help(context).splitlines())
    return f"\n```text\n{said}```\n"


def _scene(scene: Scene) -> str:
    caption = f"\n{scene.caption}\n" if scene.caption else ""
    status = f"[exit status {scene.status}]\n" if scene.status else ""
    output = "".join(f"{line.rstrip()}\n" for line in scene.output.splitlines())
    return f"{caption}\n```text\n$ crowdctl {scene.line}\n{output}{status}```\n"
