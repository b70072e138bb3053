"""The control API's table of endpoints, by what they are about. The OpenAPI document is made of it."""

from collections.abc import Sequence

from ..endpoint import Endpoint
from .decisions import DECISIONS
from .launching import LAUNCHING
from .links import LINKS
from .qualifications import QUALIFICATIONS
from .runs import RUNS
from .service import SERVICE
from .work import WORK
from .workers import WORKERS

ENDPOINTS: Sequence[Endpoint] = (
    *SERVICE,
    *LAUNCHING,
    *RUNS,
    *LINKS,
    *WORK,
    *WORKERS,
    *QUALIFICATIONS,
    *DECISIONS,
)
"""All of the API. CONTRIBUTING.md says how to add a row."""
