"""The architect `local`: one router process per run, on this machine, which outlives the daemon.

Everything is in the run's folder under `router/`: its config, secret, lock, kept port, ready file and log.
"""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import httpx
import trio

from ...files.durable import write_durably
from ...logs.output import format_now
from ...logs.parts import levels_now
from ..channel import Channel
from ..secrets import load_or_make_secrets
from ..structuring import Count, Faults, Words
from ..threads import in_thread
from ..websocket_channel import NO_TLS, WebsocketChannel
from .contract import Architect, Ground, Site
from .detached import Detached, find_detached, is_held

log = logging.getLogger(__name__)

HOME, LOCK = "router", "process.lock"  # in the run's folder, and there
READY_S = 30.0  # a slow machine under load needs some seconds for Python and the framework
ADOPT_S = 10.0  # one found running is there, or was just starting when its daemon died
ANSWER_S = 5.0  # a router that does not say it is alive by then is not
STOP_S = 10.0  # for open requests; then it is killed, and nothing is lost: it keeps what it promised on disk
LOOK_S = 0.02
BACKOFF_S = (0.2, 30.0)  # between starts of a router that keeps dying
HEALTHY_S = 60.0  # one that lived so long starts the backoff anew
LOG_TAIL_BYTES = 2000
ORPHAN_AFTER_S = 24 * 3600.0  # a router that no daemon wanted for a day is left over, and ends itself
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # how we reach a router that listens everywhere


@attrs.frozen
class LocalOptions:
    """`[architect]` of task.toml."""

    host: Words = "127.0.0.1"
    """The address to listen at."""
    port: Count = attrs.field(default=0, validator=attrs.validators.le(65535))
    """The port to listen at; 0: a free one, chosen at the first start and kept."""
    public_url: str = ""
    """Where workers reach it, when that is not the same: e.g. https://study.example.org/ of a proxy."""

    def __attrs_post_init__(self) -> None:
        parts = urlsplit(self.public_url)
        if self.public_url and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise Faults([f"public_url: must be like https://study.example.org/, not {self.public_url!r}"])
        if self.host in _LOOPBACK and not self.public_url:
            raise Faults(
                [f"public_url: is needed with host {self.host!r}: workers cannot go to that address"]
            )


class LocalArchitect(Architect):
    """A router of the run's own beside the daemon: started, or adopted as it runs, and kept running."""

    name = "local"
    Options = LocalOptions
    adopt_within_s = ADOPT_S
    stop_within_s = STOP_S

    def __init__(self, options: Any, site: Site) -> None:
        super().__init__(options, site)
        self._options: LocalOptions = options
        self._home = site.folder / HOME
        self._ids = {"run": site.run.id}
        self._process: Detached | None = None
        self._is_shut_down = False
        self._port = 0

    @classmethod
    def address(cls, options: Any, ground: Ground) -> str:
        """`<port>` stands for one that is chosen at the first start."""
        return _with_slash(options.public_url or _base(options.host, options.port or "<port>"))

    async def deploy(self) -> Sequence[Channel]:
        """The one channel to the run's router. OSError: it did not start; says why, from its log."""
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        secrets = await in_thread(load_or_make_secrets, self._home / "secret")
        async with self.site.processes.turns:
            if not await self._adopt():
                await self._start()
        url = _with_slash(self._options.public_url or self._base)
        return [WebsocketChannel(self._base, self.site.run.label, secrets, url)]

    async def watch(self) -> None:
        pause_s = BACKOFF_S[0]
        while True:
            began = trio.current_time()
            if self._process is not None:
                await self._process.ended()
            if self._is_shut_down:
                await trio.sleep_forever()
            log.warning("its router has ended; it is started again", extra=self._ids)
            if trio.current_time() - began > HEALTHY_S:
                pause_s = BACKOFF_S[0]
            await trio.sleep(pause_s)
            pause_s = min(pause_s * 2, BACKOFF_S[1])
            await self._restart()

    async def shutdown(self) -> None:
        self._is_shut_down = True
        process = self._process or find_detached(self._lock)
        self._process = None
        if process is not None:
            await process.end(self.stop_within_s)
            log.info("router process %d has ended", process.pid, extra=self._ids)

    @classmethod
    async def end_left_behind(cls, folder: Path) -> None:
        process = find_detached(folder / HOME / LOCK)
        if process is not None:
            await process.end(cls.stop_within_s)
            log.info("router process %d, which nobody had taken over, has ended", process.pid)

    async def _adopt(self) -> bool:
        """Take over a router that an earlier daemon started; False when there is none that answers."""
        process = find_detached(self._lock)
        if process is None:
            return False
        self._process = process
        try:
            await self._until_ready(self.adopt_within_s)
        except OSError as exc:
            log.warning("router process %d is replaced: %s", process.pid, exc, extra=self._ids)
            await process.end(self.stop_within_s)
            return False
        log.info("router process %d goes on", process.pid, extra=self._ids)
        return True

    async def _restart(self) -> None:
        try:
            async with self.site.processes.turns:
                await self._start()
        except OSError as exc:
            log.error("its router cannot be started: %s", exc, extra=self._ids)

    async def _start(self) -> None:
        self._process = None
        self._ready_file.unlink(missing_ok=True)
        config = self._home / "router.toml"
        config.write_text(_toml(self._router_config()), "utf-8")
        self._process = await self.site.processes.start(config, self._lock, self._log)
        try:
            await self._until_ready(READY_S)
        except OSError:
            await self._process.end(self.stop_within_s)
            raise
        write_durably(self._port_file, str(self._port).encode())
        log.info("router process %d at %s", self._process.pid, self._base, extra=self._ids)

    def _router_config(self) -> dict[str, Any]:
        public = urlsplit(self._options.public_url)
        return {
            "folder": str(self._home / "kept"),
            "secret_file": str(self._home / "secret"),
            "host": self._options.host,
            "port": self._kept_port(),
            "ready_file": str(self._ready_file),
            "default_run": self.site.run.label,
            "shared_origin": bool(self.site.run.config.get("shared_origin", False)),
            "orphan_after_s": ORPHAN_AFTER_S,
            "trusted_origins": [f"{public.scheme}://{public.netloc}"] if public.netloc else [],
            "log_format": format_now(),
            "log_level": levels_now(),
        }

    def _kept_port(self) -> int:
        """The port of the first start: workers hold links to it."""
        if self._options.port or not self._port_file.exists():
            return int(self._options.port)
        return int(self._port_file.read_text())

    async def _until_ready(self, within_s: float) -> None:
        with trio.move_on_after(within_s):
            while not await self._answers():
                if not is_held(self._lock):
                    raise OSError(f"the router ended as it started; {self._log} says: {self._last_words()}")
                await trio.sleep(LOOK_S)
            return
        raise OSError(f"the router does not answer; {self._log} says: {self._last_words()}")

    async def _answers(self) -> bool:
        """Whether the router says where it is, and answers there."""
        try:
            self._port = int(json.loads(self._ready_file.read_bytes())["port"])
            async with httpx.AsyncClient(timeout=ANSWER_S, trust_env=False, verify=NO_TLS) as client:
                return (await client.get(f"{self._base}/is_alive")).is_success
        except (FileNotFoundError, httpx.HTTPError):
            return False

    @property
    def _base(self) -> str:
        return _base(self._options.host, self._port)

    @property
    def _lock(self) -> Path:
        return self._home / LOCK

    @property
    def _log(self) -> Path:
        return self._home / "router.log"

    @property
    def _ready_file(self) -> Path:
        return self._home / "ready.json"

    @property
    def _port_file(self) -> Path:
        return self._home / "port"

    def _last_words(self) -> str:
        return self._log.read_bytes()[-LOG_TAIL_BYTES:].decode("utf-8", "replace").strip() or "nothing"


def _base(host: str, port: int | str) -> str:
    host = _LOOPBACK.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _with_slash(url: str) -> str:
    return url if url.endswith("/") else f"{url}/"


def _toml(values: dict[str, Any]) -> str:
    """TOML of flat values: text, numbers, flags and lists look there as they do in JSON."""
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
