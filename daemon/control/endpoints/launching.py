"""How runs begin: launching, what would be launched, and what can be set."""

from collections.abc import Sequence
from typing import Annotated

from ...roles import Role
from ..endpoint import Endpoint, Query
from ..launch import launch_run, plan_run
from ..options import KINDS, show_folder_options, show_options
from ..parameters import OVERRIDES
from ..shapes.plans import OptionsView, PlanView
from ..shapes.runs import LaunchedView

LAUNCHING: Sequence[Endpoint] = (
    Endpoint(
        "POST",
        "/runs",
        Role.PAY,
        launch_run,
        LaunchedView,
        status=201,
        body=bytes,
        body_type="application/gzip",
        query=(
            OVERRIDES,
            Query("launch_id", str, "The same id again gives the run that it made."),
        ),
        also=(422,),
    ),
    Endpoint(
        "POST",
        "/plan",
        Role.PAY,
        plan_run,
        PlanView,
        audited=False,
        body=bytes,
        body_type="application/gzip",
        query=(OVERRIDES,),
        also=(422,),
    ),
    Endpoint(
        "GET",
        "/options",
        Role.VIEW,
        show_options,
        OptionsView,
        query=(
            Query("kind", Annotated[str, {"enum": KINDS}], "A kind of plug-in; `task`: task.toml itself."),
            Query("name", str, "The one plug-in of the kind with this name."),
        ),
        also=(404,),
    ),
    Endpoint(
        "POST",
        "/options",
        Role.PAY,
        show_folder_options,
        OptionsView,
        audited=False,
        body=bytes,
        body_type="application/gzip",
        also=(422,),
    ),
)
