"""What browsers wrote down: what a killed one had asked for, it never asks for again."""

from pathlib import Path

from crowdd.testing.certify.crowd import Browsers, count_kept, count_operations, count_waited
from crowdd.testing.certify.zygote import Zygote
from crowdd.testing.history import GAVE_UP, LOST, History, Invoke, Operation, Unknown, load_history


class NoZygote(Zygote):
    """Nothing is started in these tests."""

    def __init__(self) -> None:
        pass


def browsers(folder: Path) -> Browsers:
    return Browsers(folder, NoZygote(), "b1.", {"words": ["http://localhost/"]}, seed=1)


async def one_life(of: Browsers, folder: Path) -> None:
    """A life in which one request was answered, one lost, and one was under way when it ended."""
    of.begin_life()
    with (folder / "b1.1.jsonl").open("a") as file:
        history = History("b1.1-", clock=iter([float(at) for at in range(1, 9)]).__next__, file=file)
        history.ok(history.invoke("words/a", Operation.REGISTER, link="a"), "agent")
        history.unknown(history.invoke("words/a", Operation.SUBMIT, agent="agent"), LOST)
        history.invoke("words/a", Operation.SUBMIT, agent="agent")


async def test_a_killed_life_gave_up_what_was_not_answered(tmp_path: Path) -> None:
    mine = browsers(tmp_path)
    await one_life(mine, tmp_path)
    await mine.kill()
    entries = mine.entries()
    calls = {entry.call for entry in entries if isinstance(entry, Invoke)}
    given_up = {entry.call for entry in entries if isinstance(entry, Unknown) and entry.why == GAVE_UP}
    assert given_up == calls - {"b1.1-1"}


async def test_a_life_that_ended_by_itself_is_taken_at_its_word(tmp_path: Path) -> None:
    mine = browsers(tmp_path)
    await one_life(mine, tmp_path)
    assert mine.entries() == load_history(tmp_path / "b1.1.jsonl")


async def test_answers_are_heard_once_and_only_whole_lines(tmp_path: Path) -> None:
    mine = browsers(tmp_path)
    await one_life(mine, tmp_path)
    assert mine.new_answers() == [2.0]
    with (tmp_path / "b1.1.jsonl").open("a") as file:
        file.write('{"kind":"ok","at":9.0')
        file.flush()
        assert mine.new_answers() == []
        file.write(',"call":"b1.1-3","agent":"","finished":false}\n')
    assert mine.new_answers() == [9.0]


async def test_only_definite_answers_are_counted(tmp_path: Path) -> None:
    mine = browsers(tmp_path)
    await one_life(mine, tmp_path)
    await mine.kill()
    assert count_operations(mine.entries()) == {"register": 1}


def test_what_was_saved_while_there_was_no_daemon_was_kept_by_a_router() -> None:
    history = History(clock=iter([0.0, 10.05, 10.2, 12.5, 12.6, 12.7, 20.0, 20.1]).__next__)
    for operation in (Operation.SUBMIT, Operation.SUBMIT, Operation.REGISTER, Operation.METADATA):
        history.ok(history.invoke("words/a", operation, agent="a"))
    # Saved at 10.05 (under way when the daemon died), 12.5, 12.7 (which no router decides), and 20.1.
    assert count_kept(history.entries, [(10.0, 13.0), (30.0, 31.0)]) == 1


def test_what_was_asked_of_a_router_that_stood_still_and_answered_afterwards_has_waited() -> None:
    history = History(clock=iter([9.0, 12.5, 10.5, 12.5, 10.6, 11.0, 10.7, 12.6, 11.0, 13.0]).__next__)
    for _ in range(3):  # asked before, asked meanwhile, answered meanwhile (it was on its way)
        history.ok(history.invoke("words/a", Operation.SUBMIT, agent="a"))
    history.refused(history.invoke("words/a", Operation.REGISTER), "paused")
    history.unknown(history.invoke("words/a", Operation.REGISTER), LOST)
    assert count_waited(history.entries, [(10.0, 12.0), (20.0, 22.0)]) == 2
