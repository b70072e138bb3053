"""What in an author's page may be meant so, and hardly is: an answer would be empty, or a part never seen."""

import re
from collections.abc import Collection, Iterator, Mapping
from html.parser import HTMLParser
from urllib.parse import unquote

import attrs

from ..structuring import nearest
from .pages import PROVIDER_SCRIPT, SCRIPT

PARTS = ("preview", "consent", "onboarding", "waiting", "task", "post-task", "final")
"""The values of `data-crowdd`, as crowdd.js knows them."""
_FORMS = frozenset({"", "task"})
"""Whose forms hold the answer: the part `task`, or no part at all."""
_OTHER_INPUTS = frozenset({"button", "hidden", "reset", "submit", "image"})
"""Types of <input> that nobody fills in."""
_SENDING: Mapping[str, Collection[str]] = {
    "button": ("", "submit"),
    "input": ("submit", "image"),
    "select": (),
    "textarea": (),
}
"""Elements that are fields of a form, with the types of them that send it."""
_OWN_SCRIPTS = frozenset({SCRIPT, PROVIDER_SCRIPT})
_ELSEWHERE = re.compile(r"^([a-z][a-z0-9+.-]*:|/|#|\?|$)", re.IGNORECASE)
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)


def page_doubts(page: str, text: str, files: Collection[str], needs_form: bool = True) -> list[str]:
    """One "place: what" each for the page at this path, beside which these files are served.

    What becomes of what a worker enters is asked only where a form is the one way to answer, and no script
    of the author's could take it instead.
    """
    reader = _PageReader()
    reader.feed(text)
    reader.close()
    doubts = list(reader.part_doubts())
    if needs_form:
        doubts += reader.answer_doubts()
    doubts += [
        (line, f"there is no file {name} beside it") for name, line in reader.named_files if name not in files
    ]
    return [f"{page}:{line}: {words}" for line, words in sorted(doubts)]


@attrs.define
class _Form:
    """A form that holds the answer."""

    line: int
    fields: int = 0
    sends: bool = False
    nameless: list[tuple[str, int]] = attrs.Factory(list[tuple[str, int]])


class _PageReader(HTMLParser):
    """Notes the page's parts, forms and the files it names, each with its line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.named_files: list[tuple[str, int]] = []
        self._parts: list[tuple[str, int]] = []
        self._forms: list[_Form] = []
        self._has_other_ways = False  # scripts, and fields that belong to a form elsewhere
        self._open: list[tuple[str, str]] = []
        self._form: _Form | None = None

    def part_doubts(self) -> Iterator[tuple[int, str]]:
        """Parts that crowdd.js does not know, and so hides for ever."""
        for part, line in self._parts:
            if part not in PARTS:
                yield line, f'data-crowdd="{part}" is never shown; {nearest(part, PARTS)}'

    def answer_doubts(self) -> Iterator[tuple[int, str]]:
        """Why an answer might not come, or be empty."""
        if self._has_other_ways:
            return
        if not self._forms:
            yield 1, "has no <form>, and no script of its own that sends: nobody can answer"
            return
        form, *more = self._forms
        for tag, line in form.nameless:
            yield line, f"<{tag}> has no name: what is entered there is not in the answer"
        if not form.fields:
            yield form.line, "no field of the <form> has a name: every answer would be empty"
        if not form.sends:
            yield form.line, "the <form> has no button that sends it, such as <button>Send</button>"
        for other in more:
            yield other.line, f"only the form in line {form.line} is the answer: this one is never sent"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._begin(tag, {name: value or "" for name, value in attrs})

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # HTML knows no "/>": the element stays open

    def handle_endtag(self, tag: str) -> None:
        if not any(tag == name for name, _ in self._open):
            return
        while self._open.pop()[0] != tag:
            pass
        self._form = self._form if tag != "form" else None

    def _begin(self, tag: str, said: dict[str, str]) -> None:
        line = self.getpos()[0]
        part = said.get("data-crowdd", self._open[-1][1] if self._open else "")
        if "data-crowdd" in said:
            self._parts.append((part, line))
        self._note_files(tag, said, line)
        self._has_other_ways |= tag == "script" and said.get("src", "") not in _OWN_SCRIPTS
        self._has_other_ways |= any(name.startswith("on") or name == "form" for name in said)
        if tag == "form" and part in _FORMS:
            self._form = _Form(line)
            self._forms.append(self._form)
        elif self._form is not None:
            self._note_field(self._form, tag, said, line)
        if tag not in _VOID:
            self._open.append((tag, part))

    def _note_field(self, form: _Form, tag: str, said: dict[str, str], line: int) -> None:
        if tag not in _SENDING:
            return
        kind = said.get("type", "").lower()
        form.sends |= kind in _SENDING[tag]
        if said.get("name"):
            form.fields += 1
        elif tag != "button" and not (tag == "input" and kind in _OTHER_INPUTS):
            form.nameless.append((tag, line))

    def _note_files(self, tag: str, said: dict[str, str], line: int) -> None:
        """Files that the page wants of its own folder; a link may lead anywhere, a placeholder, too."""
        named = said.get("href" if tag == "link" else "src", "")
        if "${" in named or _ELSEWHERE.match(named.strip()):
            return
        name = unquote(re.split(r"[?#]", named.strip())[0]).removeprefix("./")
        if ".." not in name.split("/"):
            self.named_files.append((name, line))
