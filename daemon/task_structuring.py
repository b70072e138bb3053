"""Makes a RunConfig of a document and a document of a RunConfig. Refuses all faults at once."""

import functools
import operator
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import attrs
from cattrs import Converter

from .admission_config import QualificationName, Values, qualification_name, values
from .registry import BrokenPlugIn, Kind, Registry, UnknownPlugIn, installed_plug_ins
from .structuring import Fault, Faults, make_converter, nearest, structure, table, words
from .task_config import CHOSEN, DEFAULT_TYPES, ConfigRefused, PlugIn, RunConfig
from .task_fields import Label, Reward, Texts, label, reward, texts
from .upload_config import FileTypes, file_types


def structure_config(document: dict[str, Any], registry: Registry, problems: Sequence[str] = ()) -> RunConfig:
    """The document as a config. ConfigRefused: everything that is wrong, after `problems` found before."""
    for kind in Kind:
        document.setdefault(kind.value, {})
    try:
        with open_converter(registry) as converter:
            config = structure(converter, document, RunConfig)
    except Faults as exc:
        raise ConfigRefused([*problems, *exc.problems]) from exc
    problems = [*problems, *_unknown_providers(config, registry)]
    if problems:
        raise ConfigRefused(problems)
    return config


def config_to_json(config: RunConfig, registry: Registry | None = None) -> dict[str, Any]:
    """The config as a JSON document, of the same form as task.toml, with every default written out.

    With the registry that it was read with it is sooner written.
    """
    with nullcontext(make_converter()) if registry is None else open_converter(registry) as converter:
        document: dict[str, Any] = converter.unstructure(config)
    for kind in Kind:
        plug_in = getattr(config, kind.value)
        document[kind.value] = {"type": plug_in.type, **document[kind.value]["options"]}
    return document


def config_from_json(document: Mapping[str, Any], registry: Registry | None = None) -> RunConfig:
    """The config that `config_to_json` wrote. ConfigRefused, e.g. when a plug-in is not there any more."""
    return structure_config(dict(document), registry or installed_plug_ins())


def _unknown_providers(config: RunConfig, registry: Registry) -> Iterator[str]:
    known = registry.names(Kind.PROVIDER)
    for index, requirement in enumerate(config.qualifications):
        for name in requirement.applicable_providers or ():
            if name not in known:
                path = f"qualifications[{index}].applicable_providers"
                yield f"{path}: there is no provider {name!r}; {nearest(name, known)}"


_kept_in_use = threading.Lock()


@contextmanager
def open_converter(registry: Registry) -> Generator[Converter]:
    """A converter that nobody else uses meanwhile: it writes code when it first meets a class.

    That takes 15 ms for all of a config. The last one is therefore kept, but none that knows classes of a
    task.py; who finds it taken has one of their own, for an author's value may keep it for long.
    """
    if registry.of_task or not _kept_in_use.acquire(blocking=False):
        yield _converter(registry)
        return
    try:
        yield _kept_converter(registry)
    finally:
        _kept_in_use.release()


@functools.lru_cache(maxsize=1)
def _kept_converter(registry: Registry) -> Converter:
    return _converter(registry)


def _converter(registry: Registry) -> Converter:
    """Knows the plug-ins of `registry`: the table of each is structured into its own Options."""
    converter = make_converter(
        {
            Reward: reward,
            Label: label,
            Texts: texts,
            Values: values,
            QualificationName: qualification_name,
            FileTypes: file_types,
        }
    )
    for kind, chosen in CHOSEN.items():
        hook = functools.partial(_plug_in, registry, converter, kind)
        converter.register_structure_hook_func(functools.partial(operator.eq, chosen), hook)
    return converter


def _plug_in(registry: Registry, converter: Converter, kind: Kind, value: Any, _: Any) -> PlugIn:
    options = {**table(value)}
    try:
        name = words(options.pop("type", DEFAULT_TYPES[kind]))
        plug_in = registry.find(kind, name)
    except (Fault, UnknownPlugIn, BrokenPlugIn) as exc:
        raise Faults([f"type: {exc}"]) from exc
    options = _options(converter, options, plug_in.Options)
    return PlugIn(name, options, sandbox=getattr(plug_in, "sandbox", False))


def _options(converter: Converter, table: dict[str, Any], wanted: type[Any]) -> Any:
    """As any table, but that `type` is a name one may have meant, too."""
    known = [field.name for field in attrs.fields(wanted)]
    problems = [f"{key}: unknown; {nearest(key, ['type', *known])}" for key in table if key not in known]
    try:
        options = structure(converter, {key: table[key] for key in table if key in known}, wanted)
    except Faults as exc:
        raise Faults([*problems, *exc.problems]) from exc
    if problems:
        raise Faults(problems)
    return options
