"""Loaded by schemathesis (SCHEMATHESIS_HOOKS): lets what it asks reach real runs, agents and workers.

Left alone it would make up names that are nowhere, and see little more than 404. FACTS, a JSON file, has real
ones. What never ends is asked about a run that has ended.
"""

import json
import os
import random
from pathlib import Path
from typing import Any

import schemathesis

FACTS: dict[str, list[Any]] = json.loads(Path(os.environ["CROWDD_FACTS"]).read_bytes())
"""Real values, by the name of the parameter or member; or by path and name, for what uses them up.

By method and path: whole requests, {"body", "query"}, for what nobody would make up."""
TASK = Path(os.environ["CROWDD_TASK"]).read_bytes() if "CROWDD_TASK" in os.environ else b""
ENDLESS = ("/v1/events", "/v1/runs/{run}/watch")
_choice = random.Random(1)


def _real(path: str, name: str, made_up: Any) -> Any:
    """A real value of this name, mostly."""
    values = FACTS.get(f"{path} {name}", FACTS.get(name))
    return made_up if values is None or _choice.random() > 0.8 else _choice.choice(values)


def _with_real(path: str, values: dict[str, Any]) -> dict[str, Any]:
    return {name: _real(path, name, value) for name, value in values.items()}


schemathesis.serializer.alias("application/gzip", "application/octet-stream")


@schemathesis.hook  # pyright: ignore[reportUnknownMemberType]  # its types are not whole
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]
) -> None:
    """Put real names into what is about to be asked."""
    case.path_parameters = _with_real(case.path, case.path_parameters)
    case.query = _with_real(case.path, case.query)
    if case.path in ENDLESS:
        case.path_parameters.update({"run": "ended"} if "run" in case.path_parameters else {})
        case.query.update({"run": "ended"} if case.path == ENDLESS[0] else {})
    if isinstance(case.body, dict):
        for body in (case.body, case.body.get("provider_data")):
            if isinstance(body, dict):
                body.update(_with_real(case.path, body))
    whole = FACTS.get(f"{case.method} {case.path}")
    if whole is not None and _choice.random() < 0.3:
        asked = _choice.choice(whole)
        body = asked.get("body")
        case.body = body.encode() if isinstance(body, str) else body
        case.query = asked.get("query", {})
    elif TASK and case.path in ("/v1/plan", "/v1/options", "/v1/runs") and _choice.random() < 0.5:
        case.body = TASK
        if case.path == "/v1/runs":
            case.query["launch_id"] = "asked"  # one run is enough
