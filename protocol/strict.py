"""A cattrs converter that never coerces: each type takes exactly its own values, or says why not."""

from collections.abc import Callable
from typing import Any, get_args

from cattrs import Converter, transform_error

from .documents import check_document
from .errors import RemoteProtocolError


def exactly(value: Any, kind: type) -> bool:
    """True if the value is of this very type: True is no int, and no subclass is its base."""
    return type(value) is kind


class WrongType(TypeError):
    """Raised by the hooks below; the only errors whose text is shown."""


def _only(kind: type) -> Callable[[Any, Any], Any]:
    # cattrs would turn "1" into 1 and 5 into "5"; on the wire that hides a peer's bug.
    def structure(value: Any, _: Any) -> Any:
        if not exactly(value, kind):
            raise WrongType(f"{kind.__name__} expected, not {type(value).__name__}")
        return value

    return structure


def _finite(value: Any, _: Any) -> float:
    if type(value) not in (int, float):
        raise WrongType(f"float expected, not {type(value).__name__}")
    number = float(value)
    if number - number != 0.0:
        raise WrongType("a finite number expected")
    return number


def _free_form(check: Callable[[Any], None]) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _: Any) -> Any:
        try:
            check(value)
        except RemoteProtocolError as exc:
            raise WrongType(exc.why) from None
        return value

    return structure


def _map(check: Callable[[Any], None]) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _: Any) -> Any:
        if not exactly(value, dict):
            raise WrongType(f"dict expected, not {type(value).__name__}")
        try:
            check(value)
        except RemoteProtocolError as exc:
            raise WrongType(exc.why) from None
        return value

    return structure


def _strict_list(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    (item,) = get_args(kind)
    structure_item = converter.get_structure_hook(item)

    def structure(value: Any, _: Any) -> Any:
        if not exactly(value, list):
            raise WrongType(f"list expected, not {type(value).__name__}")
        return [structure_item(each, item) for each in value]

    return structure


def _strict_map(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    _, item = get_args(kind)
    structure_item = converter.get_structure_hook(item)
    structure_map = converter.get_structure_hook(dict[str, Any])

    def structure(value: Any, _: Any) -> Any:
        plain = structure_map(value, _)
        return {key: structure_item(each, item) for key, each in plain.items()}

    return structure


def _origin(origin: type) -> Callable[[Any], bool]:
    return lambda kind: getattr(kind, "__origin__", None) is origin


def is_free(kind: Any) -> bool:
    """Whether values of this type are documents, which cross as they are."""
    return kind is Any or kind == dict[str, Any]


def _same(value: Any) -> Any:
    return value


def strict_converter(check: Callable[[Any], None] = check_document) -> Converter:
    """`check` promises of free-form data what `check_document` does."""
    converter = Converter()
    for kind in (str, int, bool, bytes):
        converter.register_structure_hook(kind, _only(kind))
        converter.register_unstructure_hook(kind, _same)
    converter.register_structure_hook(float, _finite)
    converter.register_structure_hook_factory(_origin(list), _strict_list)
    converter.register_structure_hook_factory(_origin(dict), _strict_map)
    converter.register_structure_hook_func(lambda kind: kind == dict[str, Any], _map(check))
    converter.register_structure_hook_func(lambda kind: kind is Any, _free_form(check))
    # Without this cattrs walks every payload, at ten times the cost of msgpack itself.
    converter.register_unstructure_hook_func(is_free, _same)
    return converter


def explain(exc: BaseException) -> tuple[str, str]:
    """The first thing that is wrong, as (path, why); for what `structure` of a strict converter raised."""
    first = transform_error(exc, format_exception=_say)[0]
    why, _, path = first.rpartition(" @ ")
    return path.removeprefix("$").removeprefix("."), why


def _say(exc: BaseException, kind: type | None) -> str:
    match exc:
        case WrongType():
            return str(exc)
        case KeyError():
            return "missing"
        case _:
            return f"not a valid {getattr(kind, '__name__', 'value')}"
