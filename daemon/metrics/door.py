"""Serves metrics at one address at a time, which may change while the daemon runs."""

from typing import Any

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
                    here.cancel(reason="metrics are served elsewhere")
                    here = there
                move.done.set()

    async def move(self, address: MetricsAddress | None) -> None:
        """Serve there from now on. MetricsAddressTaken: it goes on where it was."""
        move = _Move(address)
        await self._moves.send(move)
        await move.done.wait()
        if move.taken is not None:
            raise move.taken

    async def _open(self, nursery: trio.Nursery, address: MetricsAddress | None) -> trio.CancelScope:
        """The scope in which the address is served; to be cancelled by whoever moves on."""
        if address is None:
            return trio.CancelScope()
        scope: trio.CancelScope = await nursery.start(self._serve_scoped, address)
        return scope

    async def _serve_scoped(
        self,
        address: MetricsAddress,
        *,
        task_status: trio.TaskStatus[trio.CancelScope] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        with trio.CancelScope() as scope:
            await serve_metrics(self._operator, address, task_status=_Scoped(task_status, scope))


class _Move:
    """Where to, and what came of it."""

    def __init__(self, address: MetricsAddress | None) -> None:
        self.address = address
        self.done = trio.Event()
        self.taken: MetricsAddressTaken | None = None


class _Scoped:
    """Says that something is served, and gives the scope that ends it."""

    def __init__(self, status: trio.TaskStatus[trio.CancelScope], scope: trio.CancelScope) -> None:
        self._status = status
        self._scope = scope

    def started(self, value: Any = None) -> None:
        self._status.started(self._scope)
