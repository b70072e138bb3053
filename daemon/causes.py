"""The single errors inside the groups that nurseries raise, for messages that people read."""


def causes(exc: BaseException) -> list[BaseException]:
    """The errors of a group, however nested, in order; a single error is its own cause."""
    if not isinstance(exc, BaseExceptionGroup):
        return [exc]
    inner: tuple[BaseException, ...] = exc.exceptions
    return [leaf for error in inner for leaf in causes(error)]
