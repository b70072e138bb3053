"""Imports every package of ours as the first of them, each in a process of its own; names those that fail.

The libraries are imported once, before; a fork is then quick.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import cattrs
import click
import httpx
import hypercorn
import prometheus_client
import rich
import trio
import trio_websocket
import uvicorn
from starlette.applications import Starlette

import crowdd

LIBRARIES = (
    click,
    cattrs,
    httpx,
    hypercorn,
    prometheus_client,
    rich,
    Starlette,
    trio,
    trio_websocket,
    uvicorn,
)


def imports_alone(name: str) -> bool:
    """Whether the module can be imported while no other of ours is."""
    child = os.fork()
    if child == 0:
        try:
            importlib.import_module(name)
        except BaseException:
            sys.stderr.write(f"{name}:\n{traceback.format_exc()}\n")
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def packages() -> Iterator[str]:
    """The names of all packages of ours; found as folders, for looking into one would import it."""
    root = Path(crowdd.__path__[0])
    for folder, folders, _files in os.walk(root, followlinks=True):
        folders[:] = [name for name in folders if Path(folder, name, "__init__.py").exists()]
        yield ".".join(("crowdd", *Path(folder).relative_to(root).parts))


def main() -> int:
    """How many of them cannot."""
    return sum(not imports_alone(name) for name in packages())


if __name__ == "__main__":
    sys.exit(main())
