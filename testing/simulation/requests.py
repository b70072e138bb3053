"""What a page POSTs, as the packet it becomes: the parsing of the router's HTTP shell, without HTTP."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from ...protocol.answers import ERROR_LOG_SENT
from ...protocol.browser import (
    parse_error_log,
    parse_metadata,
    parse_onboarding,
    parse_register,
    parse_return,
    parse_submit,
)
from ...protocol.documents import dump_json
from ...protocol.packets import (
    LogError,
    RegisterAgent,
    Request,
    ReturnUnit,
    SubmitMetadata,
    SubmitOnboarding,
    SubmitUnit,
)
from ...router.commands import HttpAnswer
from ...router.desk import Desk
from ...router.tickets import Caller


def request_of(path: str, body: Mapping[str, Any], name: str, caller: Caller) -> Request:
    """The packet that a POST becomes; `name` is the request's id. BadRequest."""
    request = _PARSERS[path](dump_json(dict(body)), name)
    if isinstance(request, RegisterAgent | SubmitOnboarding):
        return attrs.evolve(request, crowdd_client=caller.crowdd_client)
    return request


def report_error(desk: Desk, body: Mapping[str, Any], caller: Caller) -> HttpAnswer:
    """POST /log_error, which is no request to the daemon. BadRequest."""
    told = parse_error_log(dump_json(dict(body)))
    return desk.log_error(LogError(told.wire_id, told.error_data), caller) or HttpAnswer(200, ERROR_LOG_SENT)


def _register(body: bytes, name: str) -> Request:
    return RegisterAgent(name, parse_register(body).provider_data)


def _onboarding(body: bytes, name: str) -> Request:
    told = parse_onboarding(body)
    return SubmitOnboarding(told.wire_id, name, told.onboarding_data, told.provider_data)


def _submit(body: bytes, name: str) -> Request:
    told = parse_submit(body)
    return SubmitUnit(told.wire_id, name, told.final_data)


def _metadata(body: bytes, name: str) -> Request:
    told = parse_metadata(body)
    return SubmitMetadata(told.wire_id, name, told.metadata)


def _return(body: bytes, name: str) -> Request:
    return ReturnUnit(parse_return(body).wire_id, name)


_PARSERS: dict[str, Callable[[bytes, str], Request]] = {
    "request_agent": _register,
    "submit_onboarding": _onboarding,
    "submit_task": _submit,
    "submit_metadata": _metadata,
    "return_unit": _return,
}
