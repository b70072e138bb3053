"""The blueprint `remote_procedure`: pages call the author's functions by name, as often as workers like."""

from typing import Any

import attrs

from ...protocol.names import PieceKind
from .author_code import CodeName, Uses
from .live import WRITE_GROUP, LiveBlueprint, LiveOptions
from .live_contract import Play

WRITE_LIVE = 'pages call functions, no more; write type = "live" under [blueprint], which has them, too'


@attrs.frozen
class RemoteProcedureOptions(LiveOptions):
    """`[blueprint]` of task.toml. Paths are inside the task's folder."""


class RemoteProcedureBlueprint(LiveBlueprint):
    """Pages call functions of the author's by name: `functions = {"name": f}` in task.py."""

    name = "remote_procedure"
    Options = RemoteProcedureOptions

    def play(self, kind: PieceKind) -> Play | None:
        """Calls are served for as long as a worker is at it, in an onboarding as well."""
        if kind is PieceKind.UNIT:
            return _until_submitted
        own = super().play(kind)
        serves = kind is PieceKind.ONBOARDING and self.has_section("onboarding")
        return _until_onboarded if own is None and serves else own

    def uses(self) -> Uses:
        groups = dict.fromkeys((CodeName.RUN_ASSIGNMENT, CodeName.SIMULATED_PARTNER), WRITE_GROUP)
        return Uses(
            {CodeName.FUNCTIONS: "which pages call as f(caller, args)"},
            {CodeName.RUN_UNIT: WRITE_LIVE, **groups, **self.never_onboarding()},
        )


async def _until_submitted(unit: Any, agent: Any) -> None:
    await agent.submitted()


async def _until_onboarded(agent: Any) -> None:
    await agent.submitted()
