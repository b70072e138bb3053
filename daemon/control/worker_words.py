"""How people name workers: by number, by provider and name, or by a name that only one of them has."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import attrs
from starlette.requests import Request

from ...protocol.names import WorkerId
from ...storage.contract import Storage
from ...storage.records import Worker
from ..registry import Kind
from .errors import ControlError, bad_request
from .limits import NAME_CHARACTERS_MAX, WORKERS_MAX
from .needs import Operator
from .questions import NUMBER_DIGITS_MAX, operator_of

WORDS_SHOWN_MAX = 10


async def worker_asked_for(request: Request) -> Worker:
    """The `worker=` of the query. ControlError: nobody, or several, are called so."""
    return await find_worker(operator_of(request).storage, request.query_params.get("worker", ""))


async def workers_of_body(storage: Storage, words: Any) -> list[Worker]:
    """The `workers` of a body, each once. ControlError names all that are not known, at once."""
    match words:
        case [*each] if len(each) > WORKERS_MAX:
            message = f"{len(each)} workers are named; at most {WORKERS_MAX} may be at once. Nothing is done."
            raise bad_request(message, "Ask for some of them, then for the others.")
        case [*each] if each and all(isinstance(word, str) for word in each):
            return await _find_all(storage, [str(word) for word in each])
        case _:
            raise bad_request("`workers` must be a list of workers.", "Each is text, as in inhouse:ann.")


async def make_known(operator: Operator, words: Any) -> None:
    """Make known whom the `workers` of a body name as PROVIDER:NAME and who never came.

    Nobody, when any of the words is in doubt: `workers_of_body` then says which.
    """
    match words:
        case [*each] if len(each) <= WORKERS_MAX and all(isinstance(word, str) for word in each):
            await _make_known(operator, list(dict.fromkeys(str(word) for word in each)))
        case _:
            return


async def _make_known(operator: Operator, words: Sequence[str]) -> None:
    known = await _known(operator.storage, words)
    unknown = [word for word in words if not known.has(word)]
    providers = operator.plug_ins.names(Kind.PROVIDER)
    if all(_is_full(word, providers) for word in unknown):
        for word in unknown:
            provider, _, name = word.partition(":")
            await operator.storage.register_worker(provider, name, {}, operator.wall())


def _is_full(word: str, providers: Sequence[str]) -> bool:
    provider, _, name = word.partition(":")
    named = bool(name.strip()) and name.isprintable() and len(name) <= NAME_CHARACTERS_MAX
    return provider in providers and named


async def find_worker(storage: Storage, word: str) -> Worker:
    """Who is meant. ControlError: nobody, or several, are called so."""
    return (await _known(storage, [word])).meant_by(word)


async def _known(storage: Storage, words: Sequence[str]) -> "_Known":
    """Everybody who may be meant, in one look at storage."""
    names = [word for word in words if not _is_number(word)]
    names += [word.partition(":")[2] for word in names if ":" in word]
    numbers = [WorkerId(int(word)) for word in words if _is_number(word)]
    return _Known.of(await storage.workers_among(numbers, names))


@attrs.frozen
class _Known:
    """Workers, by what they may be called."""

    by_number: Mapping[int, Worker]
    by_name: Mapping[str, Sequence[Worker]]

    @classmethod
    def of(cls, workers: Sequence[Worker]) -> Self:
        by_name: dict[str, list[Worker]] = {}
        for worker in workers:
            by_name.setdefault(worker.name, []).append(worker)
        return cls({worker.id: worker for worker in workers}, by_name)

    def has(self, word: str) -> bool:
        """Whether anybody is called so."""
        try:
            return bool(self.meant_by(word))
        except ControlError as exc:
            return exc.status != 404

    def meant_by(self, word: str) -> Worker:
        """ControlError: nobody, or several, are called so."""
        if not word.strip():
            hint = "Write a number, PROVIDER:NAME as in inhouse:ann, or a name."
            raise bad_request("No worker is named.", hint)
        if _is_number(word):
            return _only(word, [self.by_number[int(word)]] if int(word) in self.by_number else [])
        provider, _, name = word.partition(":")
        of_provider = [each for each in self.by_name.get(name, ()) if each.provider == provider]
        return _only(word, of_provider or self.by_name.get(word, ()))


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= NUMBER_DIGITS_MAX


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
    known = await _known(storage, words)
    found: dict[WorkerId, Worker] = {}
    unknown: list[str] = []
    for word in words:
        try:
            worker = known.meant_by(word)
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
