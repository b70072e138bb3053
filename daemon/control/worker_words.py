"""How people name workers: by number, by provider and name, or by a name that only one of them has."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request

from ...protocol.names import WorkerId
from ...storage.contract import Storage
from ...storage.errors import NotFound
from ...storage.records import Worker
from .errors import ControlError, bad_request
from .questions import NUMBER_DIGITS_MAX, operator_of

WORDS_SHOWN_MAX = 10
WORKERS_MAX = 10_000


async def worker_asked_for(request: Request) -> Worker:
    """The `worker=` of the query. ControlError: nobody, or several, are called so."""
    return await find_worker(operator_of(request).storage, request.query_params.get("worker", ""))


async def workers_of_body(storage: Storage, words: Any) -> list[Worker]:
    """The `workers` of a body, each once. ControlError names all that are not known, at once."""
    match words:
        case [*each] if 0 < len(each) <= WORKERS_MAX and all(isinstance(word, str) for word in each):
            return await _find_all(storage, [str(word) for word in each])
        case _:
            raise bad_request(
                f"`workers` must be a list of 1 to {WORKERS_MAX} workers.", "Each is text, as in inhouse:ann."
            )


async def find_worker(storage: Storage, word: str) -> Worker:
    """Who is meant. ControlError: nobody, or several, are called so."""
    if not word.strip():
        raise bad_request(
            "No worker is named.", "Write a number, PROVIDER:NAME as in inhouse:ann, or a name."
        )
    if word.isascii() and word.isdigit() and len(word) <= NUMBER_DIGITS_MAX:
        try:
            return await storage.worker(WorkerId(int(word)))
        except NotFound:
            raise no_such_worker(word) from None
    provider, _, name = word.partition(":")
    try:
        return await storage.worker_by_name(provider, name)
    except NotFound:
        return _only(word, await storage.workers(name=word))


def no_such_worker(word: str) -> ControlError:
    """The answer for a worker who is not there."""
    message = f"There is no worker {word!r}."
    return ControlError(404, "no_such_worker", message, "`crowdctl workers` lists them.")


def _only(word: str, found: Sequence[Worker]) -> Worker:
    if not found:
        raise no_such_worker(word)
    if len(found) > 1:
        names = ", ".join(f"{each.provider}:{each.name} (worker {each.id})" for each in found)
        raise ControlError(
            409, "ambiguous_worker", f"{len(found)} workers are called {word!r}: {names}.", "Say which."
        )
    return found[0]


async def _find_all(storage: Storage, words: Sequence[str]) -> list[Worker]:
    found: dict[WorkerId, Worker] = {}
    unknown: list[str] = []
    for word in words:
        try:
            worker = await find_worker(storage, word)
        except ControlError as exc:
            if exc.status != 404:
                raise
            unknown.append(word)
        else:
            found[worker.id] = worker
    if len(unknown) == 1:
        raise no_such_worker(unknown[0])
    if unknown:
        raise ControlError(
            404,
            "no_such_worker",
            f"{len(unknown)} of {len(words)} workers are not known: {_some(unknown)}. Nothing was done.",
            "`crowdctl workers` lists them.",
        )
    return [*found.values()]


def _some(words: Sequence[str]) -> str:
    more = "" if len(words) <= WORDS_SHOWN_MAX else f" and {len(words) - WORDS_SHOWN_MAX} more"
    return ", ".join(repr(word) for word in words[:WORDS_SHOWN_MAX]) + more
