"""Why something was decided as it was."""

from collections.abc import Sequence

from ...roles import Role
from ..endpoint import Endpoint, Query
from ..parameters import WORKER
from ..shapes.history import WhyView
from ..why import why_agent, why_unit, why_worker

IN_RUN = Query("run", str, "Only in this run, by number or label.")

DECISIONS: Sequence[Endpoint] = (
    Endpoint("GET", "/why/worker", Role.VIEW, why_worker, WhyView, query=(WORKER, IN_RUN), also=(404, 409)),
    Endpoint("GET", "/why/unit/{unit}", Role.VIEW, why_unit, WhyView),
    Endpoint("GET", "/why/agent/{agent}", Role.VIEW, why_agent, WhyView),
)
