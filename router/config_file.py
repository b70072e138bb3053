"""Reads a router.toml: the fields of `RouterConfig`, each exactly of its type."""

import tomllib
from pathlib import Path
from typing import Any

import attrs

from ..logs.output import FORMATS
from ..logs.parts import UnknownName, read_levels
from ..protocol.strict import explain, strict_converter
from .config import RouterConfig, RouterRefused


def load_config(path: Path) -> RouterConfig:
    """The router's config; RouterRefused names the first key that is wrong."""
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as exc:
        raise RouterRefused(f"cannot read {path}: {exc}") from exc
    known = [field.name for field in attrs.fields(RouterConfig)]
    unknown = sorted(set(document) - set(known))
    if unknown:
        raise RouterRefused(f"{path}: {unknown[0]} is unknown; known are {', '.join(known)}")
    converter = strict_converter()
    converter.register_structure_hook(Path, lambda value, _: Path(converter.structure(value, str)))
    converter.register_structure_hook_func(
        lambda kind: kind == tuple[str, ...], lambda value, _: tuple(converter.structure(value, list[str]))
    )
    try:
        config = converter.structure(document, RouterConfig)
    except Exception as exc:
        key, why = explain(exc)
        raise RouterRefused(f"{path}: {key}: {why}") from None
    _check_log(config, path)
    return config


def _check_log(config: RouterConfig, path: Path) -> None:
    if config.log_format not in FORMATS:
        raise RouterRefused(f"{path}: log_format: must be one of {', '.join(FORMATS)}")
    try:
        read_levels(config.log_level)
    except UnknownName as unknown:
        raise RouterRefused(f"{path}: log_level: {unknown}") from None
