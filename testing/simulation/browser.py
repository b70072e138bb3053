"""A worker's browser in simulation: the doors of a simulated router, through a network that loses things."""

import random
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import attrs
import trio

from ...protocol.documents import dump_json, load_json
from ...protocol.errors import BadRequest
from ...router.answers import refusal
from ...router.commands import HttpAnswer
from ...router.tickets import Caller
from ..doors import PageSocket, SocketLost
from ..http_doors import PageAddress, unchanged_registration
from ..verdicts import UNREACHABLE, Answered, judge
from .router import RouterGone, SimulatedRouter

DELAY_S = (0.005, 0.3)  # one way, over somebody's wireless network
UNLUCKY = 0.5  # share of the workers who lose their network when some do


@attrs.define(eq=False)
class Air:
    """How bad the workers' networks are at present."""

    lost: float = 0.0
    """Share of requests that lose their connection: half of them before, half after they were heard."""
    socket_s: float = float("inf")
    """Mean life of a socket."""
    offline: int = 0
    """How many faults keep the unlucky workers offline at present."""
    _listening: set[trio.CancelScope] = attrs.Factory(set[trio.CancelScope])

    def go_offline(self) -> None:
        """The unlucky lose their connections, and get no others."""
        self.offline += 1
        for scope in self._listening:
            scope.cancel()

    def come_back(self) -> None:
        """They have a network again, unless another fault holds them."""
        self.offline -= 1

    @contextmanager
    def listening(self, until: float) -> Generator[None]:
        """One of the unlucky listens, until it goes offline."""
        with trio.CancelScope(deadline=until) as scope:
            self._listening.add(scope)
            try:
                yield
            finally:
                self._listening.discard(scope)


class SimulatedDoors:
    """One page of one worker, at one router."""

    def __init__(
        self,
        address: PageAddress,
        router: SimulatedRouter,
        air: Air,
        ip: str,
        rng: random.Random,
        crowdd_client: bool = True,
    ) -> None:
        self._address = address
        self._router = router
        self._air = air
        self._caller = Caller(ip, crowdd_client)
        self._rng = rng
        self._is_unlucky = random.Random(address.name).random() < UNLUCKY  # noqa: S311

    @property
    def link(self) -> str:
        return self._address.name

    def registration(self, after: str) -> dict[str, Any]:
        told = self._address.registration(after)
        return told if self._caller.crowdd_client else unchanged_registration(told)

    async def post(
        self, path: str, body: Mapping[str, Any], within_s: float, files: Sequence[bytes] = ()
    ) -> Answered:
        assert not files, "a simulated router takes no forms"
        with trio.move_on_after(within_s):
            return await self._post(path, body)
        return UNREACHABLE

    async def _post(self, path: str, body: Mapping[str, Any]) -> Answered:
        await self._delay()
        fate = self._rng.random()
        if fate < self._air.lost / 2 or self._is_offline:
            return UNREACHABLE
        try:
            answer = await self._router.post(path, body, self._caller)
        except RouterGone:
            return UNREACHABLE
        except BadRequest as exc:
            answer = refusal(exc.reason, str(exc))
        await self._delay()
        return UNREACHABLE if fate < self._air.lost or self._is_offline else _judge(path, answer)

    @asynccontextmanager
    async def socket(self) -> AsyncGenerator[PageSocket, None]:
        await self._delay()
        if self._is_offline:
            raise SocketLost("there is no network")
        with self._router.open_socket(self._caller.address) as socket:
            air = self._air if self._is_unlucky else Air()
            yield _Flaky(socket, trio.current_time() + self._life_s(), air)

    @property
    def _is_offline(self) -> bool:
        return self._is_unlucky and self._air.offline > 0

    def _life_s(self) -> float:
        return self._rng.expovariate(1.0) * self._air.socket_s

    async def _delay(self) -> None:
        await trio.sleep(self._rng.uniform(*DELAY_S))


@attrs.frozen
class _Flaky:
    """A socket whose network goes away at some time."""

    _socket: PageSocket
    _until: float
    _air: Air
    """That of this page, if its network may go."""

    async def send(self, packet: Mapping[str, Any]) -> None:
        if self._air.offline:
            raise SocketLost("the network went away")
        await self._socket.send(packet)

    async def receive(self) -> Mapping[str, Any]:
        with self._air.listening(self._until):
            return await self._socket.receive()
        raise SocketLost("the network went away")


def _judge(path: str, answer: HttpAnswer) -> Answered:
    """Through JSON, as over HTTP: what cannot be said in it must not be understood here either."""
    body = load_json(dump_json(dict(answer.body)))
    retry_after = None if answer.retry_after_s is None else str(answer.retry_after_s)
    return judge(path, answer.status, body, retry_after)
