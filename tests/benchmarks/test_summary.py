"""The short table of README.md: what it says, that it is what is recorded, and that its pages exist."""

from pathlib import Path
from typing import Any

from benchmarks.instrument.record import last_record
from benchmarks.instrument.summary import BEGIN, END, Limit, summary_of, with_summary
from benchmarks.rows import ROWS
from benchmarks.rows.limits import LIMITS

HOME = Path(__file__).parent.parent.parent / "benchmarks"


def bound(figure: str, median: float, ratio: float, at_least: bool) -> dict[str, Any]:
    return {"figure": figure, "median": median, "ratio": ratio, "at_least": at_least}


def test_a_line_tells_all_ratios_of_a_row_and_whether_they_hold() -> None:
    bounds = [bound("per_s", 7.341, 8, True), bound("p50_us", 0.112, 0.125, False)]
    record = {"row": "a-row", "baseline": {"what": "a peer, 3 a second"}, "bounds": bounds, "holds": False}
    line = summary_of([record], {"a-row": Limit("page", "its disk")}).splitlines()[-1]
    assert line == (
        "| [a-row](limits/page.md) | a peer | throughput **7.34**, wait **0.112** | at least 8, at most 0.125"
        " | **short** | its disk |"
    )


def test_the_table_takes_the_place_of_the_last_one_and_nothing_else_changes() -> None:
    page = f"# x\n{BEGIN}\n\nlast\n\n{END}\n\n## y\n"
    assert with_summary(page, "next\n") == page.replace("last", "next")
    assert with_summary("# no place\n", "next\n") == "# no place\n"


def test_the_page_shows_what_is_recorded() -> None:
    """Else: python -m benchmarks --tables."""
    page = (HOME / "README.md").read_text()
    records = [record for row in ROWS if (record := last_record(HOME / "records", row.name)) is not None]
    assert BEGIN in page
    assert with_summary(page, summary_of(records, LIMITS)) == page


def test_every_row_says_what_limits_it_on_a_page_that_exists() -> None:
    assert {row.name for row in ROWS} == set(LIMITS)
    assert [
        limit.page for limit in LIMITS.values() if not (HOME / "limits" / f"{limit.page}.md").exists()
    ] == []
