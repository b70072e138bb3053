"""What POSTs of JSON ask, by name: a packet for the daemon, or nothing but an answer of our own."""

import os
from collections.abc import Callable, Mapping

import attrs

from ..protocol.answers import ERROR_LOG_SENT
from ..protocol.browser import (
    parse_error_log,
    parse_metadata,
    parse_onboarding,
    parse_register,
    parse_return,
    parse_submit,
)
from ..protocol.limits import JSON_BODY_BYTES_MAX
from ..protocol.packets import (
    LogError,
    RegisterAgent,
    Request,
    ReturnUnit,
    SubmitMetadata,
    SubmitOnboarding,
    SubmitUnit,
)
from .commands import HttpAnswer
from .desk import Desk
from .limits import LOG_ERROR_BYTES_MAX
from .tickets import Caller

SMALL_BODY_BYTES_MAX = 256 * 1024


@attrs.frozen
class JsonPost:
    """How a body of this name is read, and how large it may be. BadRequest."""

    read: Callable[[bytes, Caller, Desk], Request | HttpAnswer]
    bytes_max: int


def new_id() -> str:
    """A name for a request that nobody guesses."""
    return os.urandom(16).hex()


def _register(body: bytes, caller: Caller, _: Desk) -> Request:
    return RegisterAgent(new_id(), parse_register(body).provider_data, caller.crowdd_client)


def _onboarding(body: bytes, caller: Caller, _: Desk) -> Request:
    told = parse_onboarding(body)
    return SubmitOnboarding(
        told.wire_id, new_id(), told.onboarding_data, told.provider_data, caller.crowdd_client
    )


def _submit(body: bytes, _: Caller, __: Desk) -> Request:
    told = parse_submit(body)
    return SubmitUnit(told.wire_id, new_id(), told.final_data)


def _metadata(body: bytes, _: Caller, __: Desk) -> Request:
    told = parse_metadata(body)
    return SubmitMetadata(told.wire_id, new_id(), told.metadata)


def _log_error(body: bytes, caller: Caller, desk: Desk) -> HttpAnswer:
    told = parse_error_log(body)
    return desk.log_error(LogError(told.wire_id, told.error_data), caller) or HttpAnswer(200, ERROR_LOG_SENT)


def _return(body: bytes, _: Caller, desk: Desk) -> Request | HttpAnswer:
    told = parse_return(body)
    if told.leaving:
        return desk.run.page_left(told.wire_id) or HttpAnswer(200, {"status": "Noted"})
    return ReturnUnit(told.wire_id, new_id())


JSON_POSTS: Mapping[str, JsonPost] = {
    "request_agent": JsonPost(_register, SMALL_BODY_BYTES_MAX),
    "register_worker": JsonPost(_register, SMALL_BODY_BYTES_MAX),
    "submit_onboarding": JsonPost(_onboarding, JSON_BODY_BYTES_MAX),
    "submit_task": JsonPost(_submit, JSON_BODY_BYTES_MAX),
    "submit_metadata": JsonPost(_metadata, JSON_BODY_BYTES_MAX),
    "log_error": JsonPost(_log_error, LOG_ERROR_BYTES_MAX),
    "return_unit": JsonPost(_return, SMALL_BODY_BYTES_MAX),
}
