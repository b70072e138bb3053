"""Reads the `task.toml` of a folder, with what the command line says instead. Knows no option."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .overrides import override
from .registry import BrokenPlugIn, Registry, installed_plug_ins
from .task_config import ConfigRefused, RunConfig
from .task_folder import TaskCodeFailed, load_task_code, unload_task_code
from .task_structuring import structure_config

CONFIG_NAME = "task.toml"
CONFIG_BYTES_MAX = 1024 * 1024  # a task.toml beyond this has its data in the wrong file


def load_config(
    folder: Path, overrides: Mapping[str, str] | None = None, registry: Registry | None = None
) -> RunConfig:
    """The config of the task in `folder`, with `limits.grace_s`-like keys replaced by `overrides`.

    Without a registry, plug-ins are the installed ones and those of the folder's task.py, whose code is run.
    ConfigRefused: everything that is wrong, at once.
    """
    document, problems = read_document(folder, overrides or {})
    if registry is not None:
        return structure_config(document, registry, problems)
    try:
        code = load_task_code(folder)
    except TaskCodeFailed as exc:
        raise ConfigRefused([f"task.py: {exc}"]) from exc
    try:
        return structure_config(document, installed_plug_ins().with_task_code(code), problems)
    except BrokenPlugIn as exc:
        raise ConfigRefused([f"task.py: {exc}"]) from exc
    finally:
        if code is not None:
            unload_task_code(code)


def read_document(folder: Path, overrides: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """The folder's task.toml with its overrides, and what is wrong with these. ConfigRefused: no TOML."""
    document = _read(folder / CONFIG_NAME)
    problems = [override(document, key, letters) for key, letters in overrides.items()]
    return document, [problem for problem in problems if problem is not None]


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(CONFIG_BYTES_MAX + 1)
    except FileNotFoundError as exc:
        raise ConfigRefused(
            [f"{path.name}: is not there; a task is a folder with {path.name}, data and a page"]
        ) from exc
    except OSError as exc:
        raise ConfigRefused([f"{path.name}: cannot be read: {exc.strerror}"]) from exc
    if len(content) > CONFIG_BYTES_MAX:
        raise ConfigRefused(
            [f"{path.name}: is larger than {CONFIG_BYTES_MAX} bytes; put data into data.jsonl"]
        )
    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError) as exc:
        raise ConfigRefused([f"{path.name}: is not TOML: {exc}"]) from exc
