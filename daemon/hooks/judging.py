"""What the author's code says of finished work: approve, soft-reject or reject. Carries nothing out."""

import attrs

from ..verdict import NOTE_CHARACTERS_MAX, Verdict


@attrs.frozen
class Judged:
    """The verdict, and the note (of a rejection: the reason) that goes with it."""

    verdict: Verdict
    note: str | None = None


class Judging:
    """One call's. Lives no longer than the call; what it was told counts only if the hook returns."""

    def __init__(self) -> None:
        self.said: Judged | None = None

    def say(self, verdict: Verdict, note: str | None) -> None:
        """Remember the verdict. ValueError: a second one, a rejection without a reason, a note too long."""
        if self.said is not None:
            raise ValueError(f"the work was judged already: {self.said.verdict.value}")
        if note is not None and (not isinstance(note, str) or len(note) > NOTE_CHARACTERS_MAX):  # pyright: ignore[reportUnnecessaryIsInstance]: an author's code is not type-checked
            raise ValueError(f"a note is text of at most {NOTE_CHARACTERS_MAX} characters")
        (note or "").encode()  # UnicodeEncodeError is a ValueError: no store holds half a character
        if verdict is Verdict.REJECT and not (note or "").strip():
            raise ValueError("a rejection needs a reason: the worker is not paid, and reads it")
        self.said = Judged(verdict, note)
