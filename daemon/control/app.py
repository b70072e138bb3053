"""The control API's table of endpoints."""

from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from .disk import get_disk
from .drain import DrainRequests
from .errors import HANDLERS
from .export import export_run
from .launch import launch_run, plan_run
from .lists import list_agents, list_errors, list_units
from .log import set_log, show_log
from .needs import Operator
from .options import show_folder_options, show_options
from .people import list_agents_of_worker, list_workers, show_worker
from .runs import expire_run, get_status, list_runs, make_links, show_run, stop_run
from .watch import watch_run

ROUTES = [
    Route("/status", get_status, methods=["GET"]),
    Route("/log", show_log, methods=["GET"]),
    Route("/log", set_log, methods=["POST"]),
    Route("/runs", list_runs, methods=["GET"]),
    Route("/runs", launch_run, methods=["POST"]),
    Route("/plan", plan_run, methods=["POST"]),
    Route("/options", show_options, methods=["GET"]),
    Route("/options", show_folder_options, methods=["POST"]),
    Route("/runs/{run}", show_run, methods=["GET"]),
    Route("/runs/{run}/units", list_units, methods=["GET"]),
    Route("/runs/{run}/agents", list_agents, methods=["GET"]),
    Route("/runs/{run}/errors", list_errors, methods=["GET"]),
    Route("/runs/{run}/links", make_links, methods=["POST"]),
    Route("/runs/{run}/stop", stop_run, methods=["POST"]),
    Route("/runs/{run}/expire", expire_run, methods=["POST"]),
    Route("/runs/{run}/export", export_run, methods=["GET"]),
    Route("/runs/{run}/watch", watch_run, methods=["GET"]),
    Route("/disk", get_disk, methods=["GET"]),
    Route("/workers", list_workers, methods=["GET"]),
    Route("/worker", show_worker, methods=["GET"]),
    Route("/worker/agents", list_agents_of_worker, methods=["GET"]),
]


def control_app(operator: Operator) -> ASGIApp:
    """The application; `state.peer` of each connection must say who asks."""
    app = Starlette(routes=[Mount("/v1", routes=ROUTES)], exception_handlers=HANDLERS)
    app.state.operator = operator
    return DrainRequests(app)
