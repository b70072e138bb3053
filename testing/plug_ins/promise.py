"""What it is to keep a promise: checks that say in words what was broken. Needs no test framework."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

Error = TypeVar("Error", bound=BaseException)


class PromiseBroken(AssertionError):
    """The plug-in does not do what its contract says; one line for each promise."""


def must(holds: object, otherwise: str) -> None:
    """PromiseBroken with these words unless it holds."""
    if not holds:
        raise PromiseBroken(otherwise)


async def must_raise(error: type[Error], doing: Callable[[], Awaitable[object]], otherwise: str) -> Error:
    """The error that was raised; PromiseBroken when there was none of this kind."""
    try:
        await doing()
    except error as exc:
        return exc
    raise PromiseBroken(otherwise)


def sentence(promise: Callable[..., object]) -> str:
    """A promise's name, as people read it."""
    return promise.__name__.replace("_", " ")


def told(broken: Iterable[tuple[Callable[..., object], BaseException]]) -> Sequence[str]:
    """One line for each promise that was not kept: which, and what happened."""
    return [f"- {sentence(promise)}: {_said(exc)}" for promise, exc in broken]


def _said(exc: BaseException) -> str:
    return str(exc) if isinstance(exc, PromiseBroken) else f"{type(exc).__name__}: {exc}"
