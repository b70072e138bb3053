"""The single errors inside the groups that nurseries raise, and their words, for people to read."""

from collections.abc import Sequence

WORDS_CHARACTERS_MAX = 2000  # of one error; an author's may hold a whole table


def causes(exc: BaseException) -> list[BaseException]:
    """The errors of a group, however nested, in order; a single error is its own cause."""
    inner: Sequence[BaseException] = getattr(exc, "exceptions", ())
    return [leaf for error in inner for leaf in causes(error)] or [exc]


def words_of(error: BaseException) -> str:
    """What an error says of itself, bounded and fit for any store; "" when it cannot even say that."""
    try:
        said = str(error)[:WORDS_CHARACTERS_MAX]
    except Exception:
        # The boundary to an author's code: an error whose own __str__ fails.
        return ""
    return whole_characters(said)


def whole_characters(said: str) -> str:
    """Without the halves of characters that an author's message may hold and no JSON may."""
    return said.encode("utf-8", "backslashreplace").decode()
