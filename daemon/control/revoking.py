"""Endpoints that revoke personal links: by the link itself, or by its worker's name."""

from starlette.requests import Request
from starlette.responses import Response

from ..providers.contract import LinkUnknown
from ..revocation import Revocation
from .answers import json_answer
from .auditing import about, changed
from .errors import ControlError, bad_request
from .questions import flag_of, json_body, no_other_keys, operator_of, run_asked_for, who_asks
from .shapes.links import RevokedLinkView


async def revoke_link(request: Request) -> Response:
    """Refuse a personal link from its next request on; who works by it keeps the unit, unless `now`."""
    body = await json_body(request)
    no_other_keys(body, {"link", "now"})
    link, now = _text_of(body.get("link"), "link"), flag_of(body, "now")
    try:
        revocation = await operator_of(request).revoke_link(link, now, who_asks(request))
    except LinkUnknown as exc:
        hint = "Give the whole address, as `crowdctl links` told it; or --run RUN --worker NAME."
        raise ControlError(404, "no_such_link", f"No link was revoked: {exc}.", hint) from exc
    return _answer(request, revocation)


async def revoke_link_of(request: Request) -> Response:
    """Refuse the personal link that a worker was given last to the run; as by the link itself."""
    run = await run_asked_for(request)
    body = await json_body(request)
    no_other_keys(body, {"worker", "now"})
    worker, now = _text_of(body.get("worker"), "worker"), flag_of(body, "now")
    try:
        revocation = await operator_of(request).revoke_link_of(run.id, worker, now, who_asks(request))
    except LinkUnknown as exc:
        raise ControlError(404, "no_such_link", f"No link was revoked: {exc}.") from exc
    return _answer(request, revocation)


def _text_of(value: object, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise bad_request(f"`{name}` must be text, and not empty.")
    return value.strip()


def _answer(request: Request, revocation: Revocation) -> Response:
    about(request, revocation.run.label)
    before = "revoked" if revocation.link.already else "valid"
    changed(request, f"link {revocation.link.link} {before}", f"revoked, {revocation.ended} at work ended")
    view: RevokedLinkView = {
        "run": revocation.run.label,
        "worker_name": revocation.link.worker_name,
        "already": revocation.link.already,
        "at_work": revocation.at_work,
        "ended": revocation.ended,
    }
    return json_answer(view)
