"""Workers, in all runs: who they are, who is blocked, and who has which qualification."""

from collections.abc import Sequence

from ...roles import Role
from ..blocks import block, unblock
from ..endpoint import Endpoint, Query
from ..parameters import PAGE, WORKER
from ..people import list_agents_of_worker, list_workers, show_worker
from ..qualifications import grant, revoke
from ..shapes.people import BlockBody, BlocksView, UnblockBody, WorkerDetailsView, WorkersView
from ..shapes.qualifications import GrantBody, GrantedListView, RevokeGrantBody
from ..shapes.work import WorksView

PROVIDER = Query("provider", str, "Only those who came through it.")

WORKERS: Sequence[Endpoint] = (
    Endpoint(
        "GET",
        "/workers",
        Role.VIEW,
        list_workers,
        WorkersView,
        query=(*PAGE, PROVIDER),
    ),
    Endpoint("GET", "/worker", Role.VIEW, show_worker, WorkerDetailsView, query=(WORKER,), also=(404, 409)),
    Endpoint(
        "GET",
        "/worker/agents",
        Role.VIEW,
        list_agents_of_worker,
        WorksView,
        query=(WORKER, *PAGE),
        also=(404, 409),
    ),
    Endpoint("POST", "/workers/block", Role.OPERATE, block, BlocksView, body=BlockBody, also=(404,)),
    Endpoint("POST", "/workers/unblock", Role.OPERATE, unblock, BlocksView, body=UnblockBody, also=(404,)),
    Endpoint("POST", "/workers/grant", Role.OPERATE, grant, GrantedListView, body=GrantBody, also=(404,)),
    Endpoint(
        "POST", "/workers/revoke", Role.OPERATE, revoke, GrantedListView, body=RevokeGrantBody, also=(404,)
    ),
)
