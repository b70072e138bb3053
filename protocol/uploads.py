"""Which files a run takes, and what whoever sends another one is told. Pure: looks into no file."""

import attrs

from .packets import FileNote


@attrs.frozen
class UploadRule:
    """Files of these types only; a run without a rule takes any file, as bytes that nobody opens."""

    types: tuple[str, ...]
    words: str
    """What a worker reads first."""

    def refusal(self, note: FileNote) -> str:
        """What is said of a file of another type: which it is, and what is taken."""
        return f'{self.words} "{note.originalname}" is none of: {", ".join(self.types)}.'


def is_no_file(note: FileNote) -> bool:
    """What a form has where no file was chosen."""
    return note.size == 0 and not note.originalname
