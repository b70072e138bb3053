"""Histories: what is noted is kept, also when the process is killed while it writes."""

from pathlib import Path

import pytest

from crowdd.protocol.names import AgentStatus
from crowdd.testing.history import (
    LOST,
    History,
    Invoke,
    Operation,
    agent_key,
    answer_digest,
    answers_replaced,
    answers_saved,
    at_work,
    load_history,
    save_history,
)


def _history(file: Path | None = None, name: str = "") -> History:
    ticks = iter(range(100))
    history = History(name, lambda: float(next(ticks)), file.open("a") if file else None)
    call = history.invoke("ada", Operation.REGISTER, link="ada", after=agent_key("w0"))
    history.ok(call, agent_key("w1"))
    history.refused(history.invoke("ada", Operation.SUBMIT, agent=agent_key("w1"), digest="d"), "time_over")
    history.unknown(history.invoke("ada", Operation.RETURN, agent=agent_key("w1")), LOST)
    history.told("ada", agent_key("w1"), AgentStatus.TIMEOUT)
    return history


def test_an_answer_counts_as_saved_once_and_only_when_it_was_called_saved() -> None:
    history = _history()
    for _ in range(2):
        history.ok(history.invoke("ada", Operation.SUBMIT, agent="sent twice"))
    history.unknown(history.invoke("ada", Operation.SUBMIT, agent="lost"), LOST)
    assert answers_saved(history.entries) == {"sent twice"}


def test_an_answer_was_replaced_when_another_one_was_called_saved_after_it() -> None:
    history = History()
    for agent, digest in (("again", "d"), ("again", "d"), ("anew", "d"), ("anew", "e")):
        history.ok(history.invoke("ada", Operation.SUBMIT, agent=agent, digest=digest))
    history.refused(history.invoke("ada", Operation.SUBMIT, agent="again", digest="e"), "conflict")
    assert answers_replaced(history.entries) == {"anew"}


def test_who_was_given_a_unit_is_at_work_until_told_that_it_is_over() -> None:
    history = History()
    for name in ("ada", "bob", "cleo", "dora"):
        history.ok(history.invoke(name, Operation.REGISTER), f"agent of {name}")
    history.ok(history.invoke("ada", Operation.METADATA))
    history.ok(history.invoke("bob", Operation.SUBMIT))
    history.unknown(history.invoke("cleo", Operation.RETURN), LOST)
    history.refused(history.invoke("dora", Operation.SUBMIT), "time_over")
    history.ok(history.invoke("emil", Operation.REGISTER), "agent of emil", finished=True)
    assert at_work(history.entries) == {"ada", "cleo"}


def test_a_saved_history_is_read_back_as_it_was(tmp_path: Path) -> None:
    history = _history()
    save_history(history.entries, tmp_path / "one.jsonl")
    assert load_history(tmp_path / "one.jsonl") == history.entries


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the file is left open, as a kill would
def test_an_entry_is_in_the_file_when_it_was_noted(tmp_path: Path) -> None:
    history = _history(tmp_path / "one.jsonl")
    assert load_history(tmp_path / "one.jsonl") == history.entries


def test_a_torn_last_line_is_dropped(tmp_path: Path) -> None:
    save_history(entries := _history().entries, path := tmp_path / "one.jsonl")
    path.write_text(path.read_text()[:-9])
    assert load_history(path) == entries[:-1]


def test_a_bad_line_in_the_middle_is_an_error(tmp_path: Path) -> None:
    (path := tmp_path / "one.jsonl").write_text('{"kind": "ok"\n{}\n')
    with pytest.raises(ValueError, match="unexpected end"):
        load_history(path)


def test_the_histories_of_two_processes_are_merged_by_time_and_keep_their_calls_apart(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_history(_history(name=f"{name}-").entries, tmp_path / name)
    merged = load_history(tmp_path / "a", tmp_path / "b")
    calls = [entry.call for entry in merged if isinstance(entry, Invoke)]
    assert [entry.at for entry in merged] == sorted(entry.at for entry in merged)
    assert len(set(calls)) == len(calls) == 6


def test_a_key_does_not_give_the_wire_id_away() -> None:
    assert "w1" not in agent_key("w1")
    assert agent_key("") == agent_key(None) == ""


def test_digests_tell_contents_and_files_apart() -> None:
    contents: list[tuple[bytes, list[str]]] = [
        (b"{}", []),
        (b"[]", []),
        (b"{}", ["aa"]),
        (b"{}", ["ab"]),
        (b"{}", ["aa", "ab"]),
    ]
    assert len({answer_digest(data, files) for data, files in contents}) == len(contents)
