"""crowdd runs crowd work: it launches task runs, lets workers in and keeps every answer.

The names here are for authors of tasks. Each is loaded when it is first asked for: importing `crowdd` alone
brings nothing else along.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .daemon.blueprints.contract import Blueprint
    from .daemon.blueprints.group import GroupBlueprint
    from .daemon.blueprints.live import LiveBlueprint
    from .daemon.blueprints.remote_procedure import RemoteProcedureBlueprint
    from .daemon.blueprints.static import StaticBlueprint
    from .daemon.grouping.partners import SimulatedPartner
    from .daemon.live.agent import LiveAgent
    from .daemon.live.errors import (
        AgentDisconnected,
        AgentGone,
        AgentReturned,
        AgentShutDown,
        AgentSubmitted,
        AgentTimeout,
        CallFailed,
        CallRefused,
        GroupEnded,
        NothingReceived,
        ReplayDiverged,
    )
    from .daemon.live.group import Group
    from .daemon.live.people import Caller

__version__ = "0.1.0"

__all__ = [
    "AgentDisconnected",
    "AgentGone",
    "AgentReturned",
    "AgentShutDown",
    "AgentSubmitted",
    "AgentTimeout",
    "Blueprint",
    "CallFailed",
    "CallRefused",
    "Caller",
    "Group",
    "GroupBlueprint",
    "GroupEnded",
    "LiveAgent",
    "LiveBlueprint",
    "NothingReceived",
    "RemoteProcedureBlueprint",
    "ReplayDiverged",
    "SimulatedPartner",
    "StaticBlueprint",
    "__version__",
]

_HOMES = {
    "Blueprint": "daemon.blueprints.contract",
    "Caller": "daemon.live.people",
    "Group": "daemon.live.group",
    "GroupBlueprint": "daemon.blueprints.group",
    "LiveAgent": "daemon.live.agent",
    "LiveBlueprint": "daemon.blueprints.live",
    "RemoteProcedureBlueprint": "daemon.blueprints.remote_procedure",
    "SimulatedPartner": "daemon.grouping.partners",
    "StaticBlueprint": "daemon.blueprints.static",
}
_ERRORS = "daemon.live.errors"


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES.get(name, _ERRORS)}", __name__), name)
