"""How each class of packets looks on the wire: its map `{t, s, d, ...}`, written and strictly read."""

import enum
from collections.abc import Callable, Iterator
from functools import cached_property
from operator import attrgetter
from typing import Any, TypeGuard, cast, get_args

import attrs
from cattrs import Converter

from .errors import RemoteProtocolError
from .limits import NAME_CHARACTERS_MAX
from .packets import Packet
from .strict import exactly, explain, is_free

_ABSENT = object()
_PLAIN = (str, int, bool, bytes)


class Form:
    """How one class of packets looks on the wire: which field is which key, made once."""

    def __init__(self, cls: type[Any], converter: Converter) -> None:
        self.cls = cls
        self.name: str = cls.type.value
        self.tops = _tops(cls)
        self._inner = [_written(a, converter) for a in attrs.fields(cls) if a.name not in self.tops]
        self._reader = _Reader(cls, converter)

    def to_map(self, packet: Any) -> dict[str, Any]:
        """The packet's map; documents in it are the very same objects."""
        wire: dict[str, Any] = {"t": self.name}
        for name, key in self.tops.items():
            wire[key] = getattr(packet, name)
        data = wire["d"] = {}
        for name, default, write in self._inner:
            value = getattr(packet, name)
            if value is not default and value != default:
                data[name] = value if write is None else write(value)
        return wire

    def from_map(self, wire: dict[str, Any], looks: Iterator[int]) -> Packet:
        """The packet of a map; RemoteProtocolError says what of it is wrong, as long as `looks` has any."""
        data: Any = wire.get("d")
        reader = self._reader
        try:
            return reader.read(wire, data)
        except Exception:  # of any kind; whose it is, and what, takes a closer look
            if next(looks, None) is None:
                raise RemoteProtocolError("", "not as it should be, as others before it") from None
            return reader.read_closely(wire, data)


class _Reader:
    """Makes packets of one class of what was on the wire."""

    def __init__(self, cls: type[Any], converter: Converter) -> None:
        self._cls = cls
        self._converter = converter
        self._tops = _tops(cls)

    @cached_property
    def _fields(self) -> list[tuple[str, str | None, type | None, Any, Any]]:
        """Each with its own key, the type whose values are taken as they are, and what takes others."""
        return [
            (
                a.name,
                self._tops.get(a.name),
                None if _is_name(a) else _plain(a.type),
                self._structuring(a),
                a.type,
            )
            for a in attrs.fields(self._cls)
        ]

    def _structuring(self, field: "attrs.Attribute[Any]") -> Callable[[Any, Any], Any]:
        if _is_name(field):
            return _name
        return _member_of(field.type) or self._converter.get_structure_hook(field.type)

    def read(self, wire: dict[str, Any], data: dict[str, Any]) -> Packet:
        """The packet, if all is as it should be; else raises anything."""
        inner, outer = data.get, wire.get  # which nothing has but a map
        found: dict[str, Any] = {}
        for name, top, plain, structure, kind in self._fields:
            value = inner(name, _ABSENT) if top is None else outer(top, _ABSENT)
            if value is not _ABSENT:
                found[name] = value if type(value) is plain else structure(value, kind)
        packet: Packet = self._cls(**found)
        return packet

    @cached_property
    def _structure(self) -> Any:  # half a millisecond each, and few of them are ever wanted
        return self._converter.get_structure_hook(self._cls)

    def read_closely(self, wire: dict[str, Any], data: dict[str, Any]) -> Packet:
        """The same by cattrs, which knows what is wrong: RemoteProtocolError."""
        if not exactly(data, dict):
            raise RemoteProtocolError("d", "dict expected")
        names = [a.name for a in attrs.fields(self._cls) if a.name not in self._tops]
        flat = {name: data[name] for name in names if name in data}
        flat.update({name: wire[key] for name, key in self._tops.items() if key in wire})
        try:
            packet = cast(Packet, self._structure(flat, self._cls))
        except Exception as exc:
            name, why = explain(exc)
            raise RemoteProtocolError(self._key(name), why) from None
        self._check_names(packet)
        return packet

    def _check_names(self, packet: Packet) -> None:
        for name in (a.name for a in attrs.fields(self._cls) if _is_name(a)):
            if len(getattr(packet, name)) > NAME_CHARACTERS_MAX:
                raise RemoteProtocolError(self._key(name), f"at most {NAME_CHARACTERS_MAX} characters")

    def _key(self, name: str) -> str:
        return self._tops.get(name, f"d.{name}")


def _tops(cls: type[Any]) -> dict[str, str]:
    """The fields that have keys in the packet's own map."""
    return {a.name: a.metadata["top"] for a in attrs.fields(cls) if "top" in a.metadata}


def _bare(kind: Any) -> Any:
    """The type below another name (`WireId`), and without the None that it may be instead."""
    first, *others = get_args(kind) or (kind,)
    kind = first if others == [type(None)] else kind
    return getattr(kind, "__supertype__", kind)


def _plain(kind: Any) -> type | None:
    """The type that is the same on the wire, if this is one."""
    bare = _bare(kind)
    return bare if bare in _PLAIN else None


def _is_name(field: "attrs.Attribute[Any]") -> bool:
    return "is_name" in field.metadata


def _name(value: Any, _: Any) -> str:
    """A name as it is, if it is one; any error for what is not."""
    if type(value) is not str or len(value) > NAME_CHARACTERS_MAX:
        raise ValueError
    return value


def _is_words(kind: Any) -> TypeGuard[type[enum.Enum]]:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def _member_of(kind: Any) -> Callable[[Any, Any], Any] | None:
    """What reads a word that is one of an enum's, or None where it may be left out; any error for others.

    By a table: cattrs asks the enum, which takes Python five calls.
    """
    bare = _bare(kind)
    if not _is_words(bare):
        return None
    words: dict[Any, Any] = {member.value: member for member in bare}
    if bare is not kind:
        words[None] = None
    return lambda value, _: words[value]


def _written(field: "attrs.Attribute[Any]", converter: Converter) -> tuple[str, Any, Any]:
    """Its name, the value that is left out, and how others are written; None: as they are."""
    default: Any = field.default
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        default = default.factory()
    bare = _bare(field.type)
    if _is_words(bare) and default in (attrs.NOTHING, None):  # that default is never written
        return field.name, default, attrgetter("_value_")
    same = _plain(field.type) is not None or is_free(bare)
    return field.name, default, None if same else converter.get_unstructure_hook(field.type)
