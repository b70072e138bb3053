"""What the blueprint `mock` does while workers work: echoes and relays. The least that a live task can be."""

from collections.abc import Callable, Mapping
from typing import Any

import trio


async def echo(unit: Any, agent: Any) -> None:
    """Send back what the worker sends, until they submit."""
    async for update in agent.updates():
        await agent.send({"echo": update})


async def relay(assignment: Any, group: Any) -> None:
    """Tell the others of a group what one of them says, until all have submitted."""
    async for agent, update in group.updates():
        await group.send({"from": agent.index, "update": update}, but=agent)


async def onboard(agent: Any) -> None:
    """Send back what the worker sends, until they submit."""
    await echo(None, agent)


async def partner(partner: Any) -> dict[str, Any]:
    """A partner who says nothing and submits at once."""
    return {"answer": "simulated"}


def echo_args(caller: Any, args: Any) -> Any:
    """Its arguments are its answer."""
    return args


def fail(caller: Any, args: Any) -> Any:
    """Never answers."""
    raise ValueError(f"asked to fail: {args}")


async def sleep(caller: Any, args: Any) -> Any:
    """Answers with its argument, after so many seconds."""
    await trio.sleep(args)
    return args


FUNCTIONS: Mapping[str, Callable[..., Any]] = {"echo": echo_args, "fail": fail, "sleep": sleep}
