"""What live pages in real tabs wrote down by `notes.js`, as the entries that the history checker takes."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crowdd.protocol.documents import canonical_json
from crowdd.testing.history import (
    Assured,
    Entry,
    Invoke,
    Ok,
    Operation,
    Saw,
    Spoke,
    agent_key,
    answer_digest,
    update_digest,
)

from .page import Page

NOTES_SCRIPT = (Path(__file__).parent / "notes.js").read_text()


def notes_of(client: str, page: Page) -> list[Entry]:
    """Everything that this tab noted so far, also in earlier loads of its page."""
    noted: list[dict[str, Any]] = page.run("notes")
    return [_entry(client, note) for note in noted]


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Those of several tabs; all of them look at the same clock."""
    return sorted(entries, key=lambda entry: entry.at)


def _entry(client: str, note: Mapping[str, Any]) -> Entry:
    at, key = float(note["at"]), agent_key(note.get("agent"))
    match note["kind"]:
        case "spoke":
            update = note["update"]
            digest = update_digest(update)
            return Spoke(at, client, key, note["page"], note["number"], update["update_id"], digest)
        case "assured":
            return Assured(at, client, key, note["page"], note["number"])
        case "saw":
            return Saw(at, client, key, note["load"], note["number"], update_digest(note["update"]))
        case "invoke":
            digest = answer_digest(canonical_json(note["answer"]))
            return Invoke(at, note["call"], client, Operation.SUBMIT, agent=key, digest=digest)
        case _:
            return Ok(at, note["call"])
