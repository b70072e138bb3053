"""A process that has everything imported and forks programs: a start costs no exec and no imports.

`Zygote` is the side of whoever uses it, `serve_zygote` the process. They speak JSON over a socket; when that
closes, however its other end died, the zygote kills what it started and ends.
"""

import importlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import trio

MESSAGE_BYTES_MAX = 64 * 1024
PROGRAM = "crowdd.cli:crowdd"
"""What is started unless another program is named: the command itself."""
PRELOAD = (
    "anyio._backends._asyncio",
    "anyio._core._fileio",
    "anyio._core._typedattr",
    "anyio.abc",
    "anyio.streams.stapled",
    "anyio.streams.tls",
    "concurrent.futures.thread",
    "crowdd.cli",
    "crowdd.daemon.service",
    "crowdd.daemon.structuring",
    "crowdd.daemon.blueprints.group",
    "crowdd.daemon.blueprints.live",
    "crowdd.daemon.blueprints.static",
    "crowdd.daemon.providers.inhouse",
    "crowdd.daemon.architects.remote",
    "crowdd.logs.output",
    "crowdd.router.config_file",
    "crowdd.router.main",
    "crowdd.testing.bots",
    "crowdd.testing.certify.browsers",
    "crowdd.testing.certify.mutants",
    "encodings.idna",
    "faulthandler",
    "httpcore",
    "httpcore._backends.trio",
    "importlib.readers",
    "importlib.resources._adapters",
    "stringprep",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "hypercorn.trio",
)


class ZygoteLost(Exception):
    """The zygote died, and with it what it started."""


@attrs.frozen
class Started:
    """A process that was started: alive until killed, or by itself at an end."""

    pid: int


class Zygote:
    """Starts and ends programs. Not to be used by two tasks at once without its lock; it takes it."""

    def __init__(self, process: subprocess.Popen[bytes], line: socket.socket) -> None:
        self._process = process
        self._line = trio.socket.from_stdlib_socket(line)
        self._turn = trio.Lock()
        self._numbers = itertools.count(1)

    async def start(
        self,
        arguments: Sequence[str],
        log: Path,
        program: str = PROGRAM,
        mutant: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> Started:
        """Fork a process that runs `program` with these arguments, its output added to `log`."""
        told = await self._ask(
            {
                "do": "start",
                "arguments": list(arguments),
                "log": str(log),
                "program": program,
                "mutant": mutant,
                "environment": dict(environment or {}),
            }
        )
        return Started(int(told["pid"]))

    async def kill(self, started: Started) -> int:
        """kill -9; its exit status as `waitpid` has it: -9, or its own if it had ended before."""
        return int((await self._ask({"do": "kill", "pid": started.pid}))["status"])

    async def status(self, started: Started) -> int | None:
        """Its exit status if it has ended, else None."""
        told = (await self._ask({"do": "poll", "pid": started.pid}))["status"]
        return None if told is None else int(told)

    async def _ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        told: dict[str, Any] = {}
        async with self._turn:
            with trio.CancelScope(shield=True):  # or what was started would not be known
                await self._line.send(json.dumps({**message, "number": number}).encode())
                # Ctrl-C ends this anywhere: what answers an order before that is for nobody.
                while told.get("number") != number:
                    if not (answer := await self._line.recv(MESSAGE_BYTES_MAX)):
                        raise ZygoteLost("the zygote ended; its last words are above")
                    told = json.loads(answer)
        return told

    def close(self) -> None:
        """End the zygote and all that it started that still runs."""
        self._line.close()
        self._process.wait()


def start_zygote() -> Zygote:
    """Start one; costs the imports once."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "crowdd.testing.certify.zygote"],
            stdin=its.fileno(),
            start_new_session=True,  # a Ctrl-C is for whoever uses it
        )
    return Zygote(process, ours)


def serve_zygote(line: socket.socket) -> None:
    """Fork what is asked for until nobody asks any more."""
    children: dict[int, int | None] = {}
    try:
        while message := line.recv(MESSAGE_BYTES_MAX):
            asked: dict[str, Any] = json.loads(message)
            told = {**_obey(asked, line, children), "number": asked["number"]}
            line.send(json.dumps(told).encode())
    finally:
        for pid, status in children.items():
            if status is None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _obey(asked: Mapping[str, Any], line: socket.socket, children: dict[int, int | None]) -> dict[str, Any]:
    match asked["do"]:
        case "start":
            pid = os.fork()
            if pid == 0:
                line.close()
                _become(asked)
            children[pid] = None
            return {"pid": pid}
        case "kill":
            if _poll(asked["pid"], children) is None:
                os.kill(asked["pid"], signal.SIGKILL)
            return {"status": _reap(asked["pid"], children, 0)}
        case _:
            return {"status": _poll(asked["pid"], children)}


def _poll(pid: int, children: dict[int, int | None]) -> int | None:
    return _reap(pid, children, os.WNOHANG)


def _reap(pid: int, children: dict[int, int | None], flags: int) -> int | None:
    if children[pid] is None:
        ended, status = os.waitpid(pid, flags)
        children[pid] = os.waitstatus_to_exitcode(status) if ended else None
    return children[pid]


def _become(asked: Mapping[str, Any]) -> None:
    """Never returns: the forked process is the program from here on."""
    status = 70
    try:
        os.setsid()
        _redirect(asked["log"])
        os.environ.update(asked["environment"])
        _shuffle()
        if asked["mutant"]:
            importlib.import_module("crowdd.testing.certify.mutants").plant(asked["mutant"])
        module, _, name = asked["program"].partition(":")
        sys.argv = [name, *asked["arguments"]]
        getattr(importlib.import_module(module), name)(asked["arguments"])
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _redirect(log: str) -> None:
    nothing, output = (
        os.open(os.devnull, os.O_RDONLY),
        os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
    )
    for descriptor, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, target)
    os.close(nothing)
    os.close(output)


def _shuffle() -> None:
    """Each life has its own order of tasks, as that of a process that was not forked has."""
    scheduler: Any = importlib.import_module("trio._core._run")
    scheduler._r.seed()


def _main() -> None:
    import gc
    import random

    for name in PRELOAD:
        importlib.import_module(name)
    _make_readers()
    random.Random("")  # noqa: S311  # the first seed that is a text imports its digest, from Python 3.13 on
    gc.collect()
    gc.freeze()  # what is here stays here: no child copies its pages to count references
    serve_zygote(socket.socket(fileno=os.dup(0)))


def _make_readers() -> None:
    """What every daemon makes once, the first time that it reads its configuration."""
    config = importlib.import_module("crowdd.daemon.daemon_config")
    config.plain_daemon_config(config.structure_daemon_config({}))


if __name__ == "__main__":
    _main()
