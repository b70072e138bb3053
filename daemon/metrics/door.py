"""Serves metrics at one address at a time, which may change while the daemon runs."""

import trio

from .address import MetricsAddress
from .service import MetricsAddressTaken, Operator, serve_metrics


class MetricsDoor:
    """Opened by `serve`; `move` takes it elsewhere."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._moves, self._to_move = trio.open_memory_channel[_Move](0)

    async def serve(
        self,
        address: MetricsAddress | None,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Answer at the address until moved or cancelled; None: nowhere. MetricsAddressTaken at the start."""
        async with trio.open_nursery() as nursery:
            here = await self._open(nursery, address)
            task_status.started()
            async for move in self._to_move:
                try:
                    there = await self._open(nursery, move.address)
                except MetricsAddressTaken as exc:
                    move.taken = exc
                else:
                    await here.end()
                    here = there
                move.done.set()

    async def move(self, address: MetricsAddress | None) -> None:
        """Serve there from now on, and nowhere else. MetricsAddressTaken: it goes on where it was."""
        move = _Move(address)
        await self._moves.send(move)
        await move.done.wait()
        if move.taken is not None:
            raise move.taken

    async def _open(self, nursery: trio.Nursery, address: MetricsAddress | None) -> "_Served":
        """The address, served; to be ended by whoever moves on."""
        served = _Served()
        if address is None:
            served.ended.set()
        else:
            await nursery.start(served.serve, self._operator, address)
        return served


class _Move:
    """Where to, and what came of it."""

    def __init__(self, address: MetricsAddress | None) -> None:
        self.address = address
        self.done = trio.Event()
        self.taken: MetricsAddressTaken | None = None


class _Served:
    """One address while it is served."""

    def __init__(self) -> None:
        self._scope = trio.CancelScope()
        self.ended = trio.Event()

    async def serve(
        self, operator: Operator, address: MetricsAddress, *, task_status: trio.TaskStatus[str]
    ) -> None:
        """Until ended; gives the URL once people can connect."""
        try:
            with self._scope:
                await serve_metrics(operator, address, task_status=task_status)
        finally:
            self.ended.set()

    async def end(self) -> None:
        """Return once nobody can connect any more."""
        self._scope.cancel(reason="metrics are served elsewhere")
        await self.ended.wait()
