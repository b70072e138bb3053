"""An author's page folder: its files, and what is wrong with them before anybody sees them."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from ...protocol.limits import BUNDLE_FILES_MAX, BUNDLE_UNPACKED_BYTES_MAX
from .contract import BlueprintFault

INDEX = "index.html"
SCRIPT = "crowdd.js"
PROVIDER_SCRIPT = "wrap_crowd_source.js"
RESERVED = frozenset({SCRIPT, PROVIDER_SCRIPT, "task_config.json"})
"""Names that crowdd fills itself."""
ALWAYS_FILLED = frozenset({"mephisto_agent_id", "provider_worker_id"})
"""Placeholders that crowdd.js fills for every unit, whatever the data."""

_SCRIPT_PARTS = (
    "about",
    "words",
    "memory",
    "events",
    "server",
    "upload",
    "registering",
    "unit",
    "work",
    "reports",
    "socket",
    "outbox",
    "flush",
    "inbox",
    "calls",
    "status",
    "presence",
    "link",
    "time",
    "filling",
    "forms",
    "bar",
    "start",
)
"""The files of page/crowdd in the order in which a reader wants them; `about` is the comment on top."""

_PLACEHOLDER = re.compile(r"\$\{\s*([\w.-]+)\s*\}")
_CODE_ELEMENTS = frozenset({"script", "style", "template"})


def page_script() -> bytes:
    """crowdd.js, as it is served: its parts in one closure; they share all and leave one global."""
    folder = Path(__file__).parent / "page" / "crowdd"
    about, *parts = ((folder / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPT_PARTS)
    style = json.dumps((folder / "style.css").read_text(encoding="utf-8"))
    opening = f'(() => {{\n"use strict";\n\nconst STYLE = {style};\n'
    return "\n".join([about + opening, *parts, "})();\n"]).encode()


def read_page(folder: Path) -> dict[str, bytes]:
    """Every file of the folder by its path; names that begin with a dot are left out. BlueprintFault."""
    if not folder.is_dir():
        raise BlueprintFault(f"{folder.name}: there is no such folder; put {INDEX} into it")
    files: dict[str, bytes] = {}
    size = 0
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        if not path.resolve().is_relative_to(folder.resolve()):
            raise BlueprintFault(f"{folder.name}/{name}: leads out of the folder; copy the file into it")
        files[name] = path.read_bytes()
        size += len(files[name])
        if len(files) > BUNDLE_FILES_MAX or size > BUNDLE_UNPACKED_BYTES_MAX:
            raise BlueprintFault(
                f"{folder.name}: holds more than {BUNDLE_FILES_MAX} files or {BUNDLE_UNPACKED_BYTES_MAX} "
                "bytes; serve large files from elsewhere"
            )
    return files


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden:
            yield path


def page_faults(folder: str, files: dict[str, bytes]) -> list[str]:
    """What would keep these pages from working, one "place: what, and what to do" each."""
    faults = [
        f"{folder}/{name}: crowdd makes this file itself; remove or rename yours"
        for name in sorted(RESERVED & set(files))
    ]
    index = files.get(INDEX)
    if index is None:
        like = [name for name in files if name.lower() in (INDEX, "index.htm")]
        remedy = f"rename {folder}/{like[0]}" if like else "it is the page that workers see"
        return [*faults, f"{folder}/{INDEX}: is missing; {remedy}"]
    try:
        text = index.decode()
    except UnicodeDecodeError as exc:
        return [*faults, f"{folder}/{INDEX}: is not UTF-8 (byte {exc.start}): save it as UTF-8"]
    if SCRIPT not in text and PROVIDER_SCRIPT not in text:
        faults.append(
            f'{folder}/{INDEX}: loads no script that registers workers; put <script src="{SCRIPT}"></script> '
            "into its <head>"
        )
    return faults


def placeholders(page: bytes) -> list[tuple[str, int]]:
    """The name and line of every ${name} that crowdd.js fills in: in texts and attributes, not in code."""
    finder = _PlaceholderFinder()
    finder.feed(page.decode(errors="replace"))
    finder.close()
    return finder.found


class _PlaceholderFinder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, int]] = []
        self._inside_code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for _, value in attrs:
            self._look(value or "")
        self._inside_code += tag in _CODE_ELEMENTS

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for _, value in attrs:
            self._look(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._inside_code -= tag in _CODE_ELEMENTS and self._inside_code > 0

    def handle_data(self, data: str) -> None:
        self._look(data)

    def _look(self, text: str) -> None:
        if self._inside_code:
            return
        for match in _PLACEHOLDER.finditer(text):
            self.found.append((match[1], self.getpos()[0] + text.count("\n", 0, match.start())))
