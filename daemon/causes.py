"""The single errors inside the groups that nurseries raise, for messages that people read."""

from collections.abc import Sequence


def causes(exc: BaseException) -> list[BaseException]:
    """The errors of a group, however nested, in order; a single error is its own cause."""
    inner: Sequence[BaseException] = getattr(exc, "exceptions", ())
    return [leaf for error in inner for leaf in causes(error)] or [exc]
