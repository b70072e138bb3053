"""What workers answered: submissions, files, exports, and verdicts on them."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from . import shapes
from .asking import Asking, RunName, path_of
from .connection import lines
from .errors import ConnectionCut
from .reading import read

EXPORT_SILENCE_S = 300.0  # CSV reads everything once before its first line
REVIEWS_AT_ONCE = 200  # the daemon stores each by itself
REVIEW_S = 120.0  # so many writes, and providers that are given a moment
SUBMISSIONS_PAGE = 100  # each may be megabytes


class Answers(Asking):
    """What `Client` asks about answers."""

    def submissions(self, run: RunName, after: int = 0) -> "Iterator[shapes.Submission]":
        """One for each agent that submitted, in the order of agents, read page by page.

        `after` is the last agent's number that was seen.
        """
        while True:
            with self._connection.open(
                "GET", path_of(run, "export"), [("after", after), ("limit", SUBMISSIONS_PAGE)]
            ) as body:
                page = [read(shapes.Submission, line) for line in lines(body)]
            if not page:
                return
            yield from page
            after = page[-1].agent_id

    def read_file(self, run: RunName, file: "shapes.FileInfo | str") -> bytes:
        """What is in an uploaded file, by its note or its sha256. ConnectionCut: it did not come whole."""
        return b"".join(self.file(run, file))

    def file(self, run: RunName, file: "shapes.FileInfo | str") -> Iterator[bytes]:
        """The same in pieces, for large ones; the last one comes once all are what they should be."""
        import hashlib  # loads OpenSSL, and is rarely needed

        sha256 = file if isinstance(file, str) else file.sha256
        digest, held = hashlib.sha256(), b""
        with self._connection.open("GET", path_of(run, "files", quote(sha256, safe=""))) as body:
            for piece in body:
                digest.update(piece)
                yield held
                held = piece
        if digest.hexdigest() != sha256:
            raise ConnectionCut(f"The file {sha256} did not come as it was uploaded.", "Ask again.")
        yield held

    def export(self, run: RunName, kind: str = "jsonl") -> Iterator[bytes]:
        """The export (`jsonl` or `csv`) in pieces; ConnectionCut when it did not come whole."""
        with self._connection.open(
            "GET", path_of(run, "export"), [("format", kind)], timeout_s=EXPORT_SILENCE_S
        ) as body:
            yield from body

    def save_export(self, run: RunName, path: str | os.PathLike[str], kind: str = "jsonl") -> int:
        """Write the export to a file: all of it, or the file stays as it was. Returns how many lines.

        The file is readable by its owner alone. OSError.
        """
        from .saving import save  # as packing: not every command needs it

        return save(self.export(run, kind), Path(path))

    def review(
        self,
        verdict: str,
        agents: Iterable[int] = (),
        units: Iterable[int] = (),
        note: str | None = None,
    ) -> "Iterator[shapes.Reviewed]":
        """Judge work: `approve`, `soft_reject` (paid, below the bar) or `reject` (needs a note, as reason).

        By agents, or by units; says of each, as it is stored, what became of it.
        """
        yield from self._review(verdict, "agents", list(agents), note)
        yield from self._review(verdict, "units", list(units), note)

    def pay_late(
        self, run: RunName, late: Iterable[int], amount: str | None = None, note: str | None = None
    ) -> "Iterator[shapes.LatePaid]":
        """Pay for answers that came too late to count, by the numbers that `late` gives, each once.

        `amount` as in task.toml; None: what each one's unit is worth. Says of each what became of it.
        """
        numbers = list(late)
        said = {"note": note or ""} if amount is None else {"note": note or "", "amount": amount}
        for first in range(0, len(numbers), REVIEWS_AT_ONCE):
            body = {"late": numbers[first : first + REVIEWS_AT_ONCE], **said}
            for each in self._connection.post(path_of(run, "late", "pay"), body, REVIEW_S)["late"]:
                yield read(shapes.LatePaid, each)

    def _review(
        self, verdict: str, key: str, numbers: list[int], note: str | None
    ) -> "Iterator[shapes.Reviewed]":
        for first in range(0, len(numbers), REVIEWS_AT_ONCE):
            some = numbers[first : first + REVIEWS_AT_ONCE]
            body = {"verdict": verdict, key: some, "note": note or ""}
            for each in self._connection.post("/reviews", body, REVIEW_S)["reviews"]:
                yield read(shapes.Reviewed, each)
