"""What a daemon does over HTTP with proof: deploy a bundle, fetch an upload, take a run off."""

import logging
import re
import time
from pathlib import Path

import anyio
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from ..protocol.limits import BUNDLE_BYTES_MAX
from ..protocol.proof import verify_request
from .addresses import sender_of
from .addressing import is_label
from .bodies import Body, BodyRefused, receive_file
from .bundle import BundleRefused
from .config import KnownSecrets, RouterRefused
from .limits import LINK_FAILURES_PER_ADDRESS_PER_MINUTE_MAX
from .plain_request import PlainRequest
from .rates import Minute
from .replies import error, json_response, not_found, ok
from .runs import OutboxNotEmpty, Runs
from .threads import in_thread

log = logging.getLogger(__name__)

_NO_PAGE = {
    "Content-Disposition": "attachment",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
}
"""Whatever a worker has sent, and wherever this is shown by mistake: it is never a page."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


class DeployDoor:
    """The handlers of `/_crowdd/runs/...`; each checks the proof before anything else."""

    def __init__(self, runs: Runs, known: KnownSecrets) -> None:
        self._runs = runs
        self._known = known
        self._failures = Minute(LINK_FAILURES_PER_ADDRESS_PER_MINUTE_MAX)

    async def put_bundle(self, request: Request) -> Response:
        """Make this archive the run's pages; the same again changes nothing."""
        label, digest = request.path_params["label"], request.path_params["sha256"]
        body = Body(PlainRequest(request.scope, request.receive))
        refused = self._refuses(request, digest)
        try:
            if refused is not None or not is_label(label) or not _DIGEST.fullmatch(digest):
                await body.drain()
                return refused or not_found()
            if body.announced > BUNDLE_BYTES_MAX:
                raise await body.too_large(f"at most {BUNDLE_BYTES_MAX} bytes")
            path, received = await receive_file(body, self._runs.house.incoming, BUNDLE_BYTES_MAX)
        except BodyRefused as exc:
            return json_response(exc.answer)
        try:
            if received != digest:
                return error(400, "bad_digest", "The body is not what its address says.")
            return await self._deploy(label, path, digest)
        finally:
            path.unlink(missing_ok=True)

    async def _deploy(self, label: str, incoming: Path, digest: str) -> Response:
        served = await self._runs.get_or_make(label)
        if served is None:
            return error(503, "too_many_runs", "This router serves too many runs.")
        if served.digest != digest:
            try:
                await self._runs.deploy(served, incoming, digest)
            except BundleRefused as exc:
                return error(422, "bad_bundle", f"This bundle is refused: {exc}.")
        return ok({"status": "Deployed", "sha256": digest})

    async def get_file(self, request: Request) -> Response:
        """Give an upload to the daemon."""
        label, digest = request.path_params["label"], request.path_params["sha256"]
        served = self._runs.get(label)
        refused = self._refuses(request)
        if refused is not None or served is None or not _DIGEST.fullmatch(digest):
            return refused or not_found()
        path = served.folder.upload(digest)
        if not await in_thread(path.is_file):
            return not_found()
        return FileResponse(path, headers=_NO_PAGE, media_type="application/octet-stream")

    async def delete_run(self, request: Request) -> Response:
        """Take the run's pages, key and files off, once its outbox is empty; again changes nothing.

        With `?discard` what is in the outbox goes, too: staff have deleted the run.
        """
        refused = self._refuses(request)
        if refused is not None or not is_label(request.path_params["label"]):
            return refused or not_found()
        try:
            await self._runs.remove(request.path_params["label"], "discard" in request.query_params)
        except OutboxNotEmpty:
            return error(409, "outbox_not_empty", "The run has answers that the daemon does not have yet.")
        return ok({"status": "Removed"})

    def _refuses(self, request: Request, body_sha256: str = "") -> Response | None:
        address, label = sender_of(request), request.path_params["label"]
        now = anyio.current_time()
        if self._failures.full(address, now):
            return error(429, "too_many_requests", "Too many failed proofs; wait a minute.")
        path = request.scope["raw_path"].decode("latin-1")
        if request.url.query:
            path = f"{path}?{request.url.query}"
        header = request.headers.get("authorization")
        try:
            known = self._known()
        except RouterRefused as exc:
            log.error("no daemon is let in: %s", exc)
            return error(503, "no_secret", "This router's secret file cannot be used; its log says why.")
        said = (request.method, path, header, time.time(), body_sha256)
        if any(verify_request(secret, *said) for secret in known):
            return None
        self._failures.take(address, now)
        log.warning("run %.40r: %s did not prove that it knows this router's secret", label, address)
        return error(401, "unproved", "This needs the proof of the daemon; both need the same secret file.")
