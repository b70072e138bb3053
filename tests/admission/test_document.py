"""docs/admission.md shows the decision tables as they are: this prints them into it."""

from collections.abc import Iterator
from pathlib import Path

from crowdd.daemon.admission import TABLE, Ask, Refuse, Reserve, Row
from crowdd.daemon.admission.returning import RETURN_TABLE

from .rows import ROWS

DOCUMENT = Path(__file__).parents[2] / "docs" / "admission.md"
BEGIN, END = "<!-- {}: printed by tests/admission/test_document.py -->\n", "<!-- end of {} -->\n"


def test_the_document_shows_the_tables_as_they_are() -> None:
    shown = DOCUMENT.read_text()
    wanted = _with(_with(shown, "admission", _admission()), "returning", _returning())
    if shown != wanted:
        DOCUMENT.write_text(wanted)
    assert shown == wanted, "docs/admission.md was behind the tables; it is printed anew: read and commit it"


def _with(document: str, name: str, lines: Iterator[str]) -> str:
    begin, end = BEGIN.format(name), END.format(name)
    before, rest = document.split(begin)
    _, after = rest.split(end)
    return before + begin + "".join(f"{line}\n" for line in lines) + end + after


def _admission() -> Iterator[str]:
    yield "| | step | when | then |"
    yield "|---|---|---|---|"
    for number, row in enumerate(TABLE, 1):
        yield f"| {number} | {row.step.value} | {row.when} | {_then(row)} |"


def _returning() -> Iterator[str]:
    yield "| | when the link's newest agent … | then |"
    yield "|---|---|---|"
    for number, row in enumerate(RETURN_TABLE, 1):
        yield f"| {number} | {row.when} | {row.then.value} |"


def _then(row: Row) -> str:
    decision = ROWS[row.name][1]
    if row.then is not None:
        return row.then
    match decision:
        case Ask():
            return f"ask {decision.question.value}"
        case Refuse():
            return f"refused: {decision.reason.value}"
        case Reserve():
            return "a unit: the hooks' first that is still free, or the first of the run's order"
        case _:
            return f"{row.name}{'' if row.name == 'onboarding' else ' unit'}"
