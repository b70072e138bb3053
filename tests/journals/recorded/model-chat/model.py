"""Two small models of conversation, made at import from dialogue.txt. Pure: the same call, the same reply.

`echo` knows what was answered to the most similar line of the book; `babble` strings new sentences together
from what followed what in it. Both choose among many by how much a reply has to do with what was said.
"""

import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

Words = list[str]
CANDIDATES = 40  # sentences that babble makes up, to choose one from
WORDS_MAX = 28  # of one made-up sentence
CHANGE_OF_SUBJECT = 0.05  # what a reply must have to do with what was said, or anything may be said
_SHORT_FORMS = {
    "can't": "can not",
    "won't": "will not",
    "n't": " not",
    "'m": " am",
    "'re": " are",
    "'ve": " have",
    "'ll": " will",
    "'d": " would",
    "'s": "",
}
_CONVERSATIONS = [
    part.strip().splitlines()
    for part in Path(__file__).with_name("dialogue.txt").read_text(encoding="utf-8").split("\n\n")
]


def words_of(text: str) -> Words:
    """The words in lower case; "I'm" is two words, and "cats" is "cat"."""
    plain = text.lower().replace("’", "'")
    for short, long in _SHORT_FORMS.items():
        plain = plain.replace(short, long)
    return [re.sub(r"(?<=[a-z]{2})s$", "", word) for word in re.findall(r"[a-z]+", plain)]


LINES = [line for conversation in _CONVERSATIONS for line in conversation]
PAIRS = [pair for conversation in _CONVERSATIONS for pair in pairwise(conversation)]
_IN_LINES = Counter(word for line in LINES for word in set(words_of(line)))
_FAMILIAR = [line for line, count in Counter(LINES).items() if count == 1 and len(words_of(line)) < 12]


def weight(word: str) -> float:
    """How much a word says: rare words much, "the" nearly nothing; a word that is not in the book nothing."""
    count = _IN_LINES[word]
    return math.log(len(LINES) / count) ** 2 if count else 0.0


def likeness(one: str, other: str) -> float:
    """From 0, not a word in common, to 1, the same words; rare ones count more."""
    ours, theirs = set(words_of(one)), set(words_of(other))
    all_of_it = sum(map(weight, ours | theirs))
    return sum(map(weight, ours & theirs)) / all_of_it if all_of_it else 0.0


def echo(text: str, before: Sequence[str]) -> str:
    """What was answered in the book to the line that is most like this; nothing twice."""
    rng = random.Random(f"{text} {len(before)}")  # noqa: S311  # chance that everybody can repeat
    scored = [
        (likeness(text, said) + likeness(text, answered) / 3, rng.random(), answered)
        for said, answered in PAIRS
        if answered not in before
    ]
    score, _, answered = max(scored, default=(0.0, 0.0, ""))
    if score > CHANGE_OF_SUBJECT:
        return answered
    return rng.choice([line for line in _FAMILIAR if line not in before] or LINES)


def babble(text: str, before: Sequence[str]) -> str:
    """A sentence that is not in the book, made of its words, and about the same as what was said."""
    rng = random.Random(f"{text} {len(before)}")  # noqa: S311  # chance that everybody can repeat
    made = [" ".join(_sentence(rng)) for _ in range(CANDIDATES)]
    fresh = [line for line in made if line not in LINES and line not in before and len(words_of(line)) > 2]
    return max(fresh or made, key=lambda line: likeness(text, line))


MODELS = {"echo": echo, "babble": babble}

_START, _END = "", "\n"
_FOLLOWS: defaultdict[tuple[str, str], Words] = defaultdict(list)  # what came after these two
_FOLLOWS_ONE: defaultdict[str, Words] = defaultdict(list)  # what came after this one


def _learn() -> None:
    for line in LINES:
        for sentence in re.findall(r"[^.!?]+[.!?]+”?", line):
            tokens = [_START, _START, *sentence.replace("“", "").replace("”", "").split(), _END]
            for before, word, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
                _FOLLOWS[before, word].append(after)
                _FOLLOWS_ONE[word].append(after)


def _sentence(rng: random.Random) -> Iterator[str]:
    """Two words decide the next one; where the book knows only one way on, one word does."""
    before, word = _START, _START
    for _ in range(WORDS_MAX):
        known = _FOLLOWS[before, word]
        if len(set(known)) < 2 and word != _START:
            known = _FOLLOWS_ONE[word]
        before, word = word, rng.choice(known)
        if word == _END:
            return
        yield word


_learn()
