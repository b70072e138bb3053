"""Named functions that pages call: answered once, and when they fail, in words that are fit for workers."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.daemon.live_pages import ECHO, live_page
from tests.daemon.virtual import open_virtual
from trio.testing import MockClock

MORE = """
import trio
from crowdd.daemon.live.errors import CallRefused

def refuse(caller, args):
    raise CallRefused(f"Not {args['word']}, please.")

async def slow(caller, args):
    await trio.sleep(1000)

def strange(caller, args):
    return {1, 2}

def large(caller, args):
    return "x" * 2_000_000
"""
NAMES = '{"refuse": refuse, "slow": slow, "strange": strange, "large": large, "double"'
FUNCTIONS = ECHO.replace('{"double"', NAMES) + MORE


async def answers(folder: Path, *calls: tuple[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """What a page is answered, in the order of its calls, and what is noted for the author."""
    async with open_virtual(folder) as virtual:
        run = await virtual.launch(code=FUNCTIONS, blueprint__type="echo")
        page = await virtual.at_work(run, "anna")
        async with live_page(page) as live:
            for number, (name, args) in enumerate(calls):
                await live.send({"request_id": str(number), "target": name, "args": args})
            found = sorted(await live.until(len(calls)), key=lambda answer: int(answer["handles"]))
        notes = await virtual.storage.errors(run.id)
        return found, [str(note.data["message"]) for note in notes]


async def test_each_call_is_answered_with_its_own_result(autojump_clock: MockClock, tmp_path: Path) -> None:
    found, noted = await answers(tmp_path, *(("double", str(number)) for number in range(20)))
    assert [orjson.loads(answer["response"]) for answer in found] == [2 * number for number in range(20)]
    assert noted == []


async def test_a_function_may_refuse_in_words_for_the_worker(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    found, noted = await answers(tmp_path, ("refuse", '{"word": "so"}'))
    assert found == [{"handles": "0", "response": "null", "error": "Not so, please."}]
    assert noted == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("fail", "as was asked"),
        ("slow", "took longer than"),
        ("strange", "set"),
        ("large", "more than a page"),
    ],
)
async def test_what_went_wrong_is_for_the_author_and_no_worker_reads_it(
    autojump_clock: MockClock, tmp_path: Path, name: str, why: str
) -> None:
    [answer], [noted] = await answers(tmp_path, (name, "1"))
    assert answer["error"] == f"{name} did not work just now. What went wrong is noted; please try again."
    assert noted.startswith(f"calling {name}: ")
    assert why in noted


async def test_nonsense_is_answered_in_words_and_noted_nowhere(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    found, noted = await answers(tmp_path, ("no such", "1"), ("double", "{"))
    assert "there is no function" in found[0]["error"]
    assert "not JSON" in found[1]["error"]
    assert noted == []
