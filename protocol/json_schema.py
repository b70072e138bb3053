"""JSON Schema of typed dictionaries: what the OpenAPI documents of daemon and router are made of. Pure.

A type checker holds the code to these types, so a schema that is made of them is true by construction.
"""

import enum
import types
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints
from typing import is_typeddict as _is_typeddict

_PLAIN: Sequence[tuple[Any, dict[str, Any]]] = (
    (str, {"type": "string"}),
    (int, {"type": "integer"}),
    (float, {"type": "number"}),
    (bool, {"type": "boolean"}),
    (type(None), {"type": "null"}),
    (bytes, {"type": "string", "format": "binary"}),
    (datetime, {"type": "string", "format": "date-time"}),
    (Any, {}),
)


class Schemas:
    """The schemas of a document: each typed dictionary once, by its name."""

    def __init__(self) -> None:
        self.named: dict[str, dict[str, Any]] = {}

    def of(self, kind: Any) -> dict[str, Any]:
        """The schema of a type, with references to what is `named`. TypeError for one that JSON has not.

        `Annotated[kind, {...}]` adds members to it: limits, examples, a description.
        """
        for plain, schema in _PLAIN:  # compared one by one: an annotated type may have no hash
            if kind is plain:
                return dict(schema)
        if _is_typeddict(kind):
            return self._reference(kind)
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return {"enum": [member.value for member in kind]}
        return self._made_of(get_origin(kind), get_args(kind), kind)

    def _made_of(self, origin: Any, arguments: tuple[Any, ...], kind: Any) -> dict[str, Any]:
        match origin:
            case _ if origin in (Required, NotRequired):
                return self.of(arguments[0])
            case _ if origin is Annotated:
                return {**self.of(arguments[0]), **arguments[1]}
            case _ if origin is Literal:
                return {"enum": list(arguments)}
            case _ if origin in (Union, types.UnionType):
                return {"anyOf": [self.of(each) for each in arguments]}
            case _ if origin is list:
                return {"type": "array", "items": self.of(arguments[0])}
            case _ if origin is dict and arguments[0] in (str, int):
                return {"type": "object", "additionalProperties": self.of(arguments[1])}
            case _:
                raise TypeError(f"{kind} has no JSON schema")

    def _reference(self, kind: Any) -> dict[str, Any]:
        name = kind.__name__.removesuffix("View")
        if name not in self.named:
            self.named[name] = {}  # what refers to itself finds its name
            self.named[name] = self._object(kind)
        return {"$ref": f"#/components/schemas/{name}"}

    def _object(self, kind: Any) -> dict[str, Any]:
        hints = get_type_hints(kind, include_extras=True)
        return {
            "type": "object",
            **({"description": kind.__doc__} if kind.__doc__ else {}),
            "properties": {name: self.of(hint) for name, hint in hints.items()},
            "required": sorted(kind.__required_keys__),
            "additionalProperties": False,
        }
