"""Why simulated workers went home with nothing saved, in words for who sent them."""

from collections import Counter
from collections.abc import Iterable

from ..protocol.names import SENTENCES
from .history import GAVE_UP, LOST, Entry, Invoke, Ok, Operation, Refused, Unknown

NOBODY = (
    "Nobody answers at the address of the link. Is it the right one, does the daemon run, has the run ended?"
)
_WORDS = {reason.value: words for reason, words in SENTENCES.items()} | {LOST: NOBODY, GAVE_UP: NOBODY}


def empty_handed(entries: Iterable[Entry]) -> Counter[str]:
    """How many workers saved nothing, by the last that each was told instead, or by nobody's answer."""
    asked: dict[str, Invoke] = {}
    told: dict[str, str] = {}
    for entry in entries:
        match entry:
            case Invoke():
                asked[entry.call] = entry
            case Ok() if asked[entry.call].operation is Operation.SUBMIT:
                told[asked[entry.call].client] = ""
            case Refused() | Unknown() if told.get(client := asked[entry.call].client) != "":
                told[client] = entry.reason if isinstance(entry, Refused) else entry.why
            case _:
                pass
    return Counter(_WORDS.get(why, why) for why in told.values() if why)
