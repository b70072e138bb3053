"""The commands that a page of the documentation shows, and what it says that they answer.

A page is ordinary Markdown. ```` ```sh ```` holds commands to copy, ```` ```console ```` commands after `$ `
with their answers (in an answer, `...` stands for anything). An HTML comment before a block says more:

    <!-- file: task.toml -->     the block is the content of this file, in the folder where commands run
    <!-- goes on -->             the one command runs on in its own terminal; what it shows is awaited
    <!-- fails -->               the last command of the block must fail
    <!-- not run: why -->        the block is not run, and the test run says why
    <!-- run: command -->        stands for what a person does meanwhile, e.g. in a browser (no block follows)
    <!-- ctrl-c -->              ends what was started last and runs on (no block follows)

The port 48090 stands for one that is free where the page is tried.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import attrs

SHELL = ("sh", "console")
EXAMPLE_PORT = "48090"
_MARK = re.compile(r"<!-- (file|goes on|fails|not run|run|ctrl-c)(?:: (.*?))? -->\s*\Z")
_FENCE = re.compile(r"(?P<indent> *)(?P<fence>`{3,})(?P<language>[\w-]*)\s*\Z")


@attrs.frozen
class Mark:
    """What a comment says about the block after it."""

    kind: str = ""
    words: str = ""


@attrs.frozen
class Block:
    """A fenced block, or (`language` empty) a command without one."""

    line: int
    language: str
    text: str
    mark: Mark

    def commands(self) -> list[tuple[str, str]]:
        """Each command and the answer that is shown; for `sh` the whole block is one, without an answer."""
        if self.language != "console":
            return [(self.text, "")]
        found: list[tuple[str, str]] = []
        for line in self.text.splitlines(keepends=True):
            if line.startswith("$ "):
                found.append((line[2:], ""))
            elif line.startswith("> ") and not found[-1][1]:
                found[-1] = (found[-1][0] + line[2:], "")
            else:
                found[-1] = (found[-1][0], found[-1][1] + line)
        return found


def blocks(page: Path) -> Iterator[Block]:
    """Everything of the page that is run, written or deliberately not run, in order."""
    mark = Mark()
    lines = enumerate(page.read_text().splitlines(), 1)
    for number, line in lines:
        if said := _MARK.match(line):
            mark = Mark(said[1], said[2] or "")
            if mark.kind in ("run", "ctrl-c"):
                yield Block(number, "", mark.words + "\n", mark)
                mark = Mark()
        elif fence := _FENCE.match(line):
            text = _fenced(lines, fence)
            if fence["language"] in SHELL or mark.kind == "file":
                yield Block(number, fence["language"], text, mark)
            mark = Mark()
        elif line.strip():
            assert not mark.kind, f"{page}:{number}: <!-- {mark.kind} --> stands before no block"


def _fenced(lines: Iterator[tuple[int, str]], fence: re.Match[str]) -> str:
    text = ""
    for _, line in lines:
        if line.strip() == fence["fence"]:
            break
        text += line.removeprefix(fence["indent"]) + "\n"
    return text
