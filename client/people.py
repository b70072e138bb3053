"""Workers, what they are qualified for, who is barred, and why they got what they got."""

from collections.abc import Iterator, Sequence

from .asking import Asking, RunName
from .reading import read
from .shapes.history import Why
from .shapes.people import BlockInfo, WorkerDetails, WorkerInfo
from .shapes.qualifications import Granted, Holder, QualificationDetails, QualificationInfo
from .shapes.work import WorkInfo

BLOCK_S = 120.0  # a thousand workers, and a provider that is given a moment


class People(Asking):
    """What `Client` asks about people."""

    def workers(self, provider: str | None = None) -> Iterator[WorkerInfo]:
        """Everybody who ever came, or came through one provider, in order."""
        chosen = [] if provider is None else [("provider", provider)]
        return self._pages(WorkerInfo, "/workers", "workers", chosen)

    def worker(self, worker: int | str) -> WorkerDetails:
        """One worker, by number or `provider:name`."""
        return read(WorkerDetails, self._connection.get("/worker", [("worker", worker)]))

    def work_of(self, worker: int | str) -> Iterator[WorkInfo]:
        """Everything a worker worked on, in order."""
        return self._pages(WorkInfo, "/worker/agents", "agents", [("worker", worker)])

    def block(self, workers: Sequence[int | str], reason: str) -> list[BlockInfo]:
        """Let these workers have nothing new, in any run; who is at work keeps their unit. All or none."""
        return self._set_blocked("block", workers, reason)

    def unblock(self, workers: Sequence[int | str], reason: str = "") -> list[BlockInfo]:
        """Let these workers in again. All or none."""
        return self._set_blocked("unblock", workers, reason)

    def _set_blocked(self, how: str, workers: Sequence[int | str], reason: str) -> list[BlockInfo]:
        body = {"workers": list(map(str, workers)), "reason": reason}
        told = self._connection.post(f"/workers/{how}", body, BLOCK_S)["workers"]
        return [read(BlockInfo, each) for each in told]

    def qualifications(self) -> list[QualificationInfo]:
        """All qualifications, in the order in which they were made."""
        told = self._connection.get("/qualifications")["qualifications"]
        return [read(QualificationInfo, each) for each in told]

    def create_qualification(self, name: str, description: str | None = None) -> QualificationInfo:
        """Make a qualification."""
        body = {"name": name, **({} if description is None else {"description": description})}
        return read(QualificationInfo, self._connection.post("/qualifications", body))

    def qualification(self, name: str) -> QualificationDetails:
        """One qualification with its newest changes."""
        return read(QualificationDetails, self._connection.get("/qualification", [("name", name)]))

    def holders(self, qualification: str) -> Iterator[Holder]:
        """Who has it, by worker number."""
        return self._pages(Holder, "/qualification/workers", "workers", [("name", qualification)])

    def delete_qualification(self, name: str) -> int:
        """Remove a qualification and take it from everybody; says how many had it."""
        return int(self._connection.delete("/qualification", [("name", name)])["revoked"])

    def grant(
        self,
        workers: Sequence[int | str],
        qualification: str,
        value: int = 1,
        why: str = "",
        ahead: bool = False,
    ) -> list[Granted]:
        """Give workers a value of a qualification; it replaces what they had. All or none.

        `ahead`: also to those who never came, written PROVIDER:NAME.
        """
        whom = {"qualification": qualification, "workers": list(map(str, workers))}
        body = {**whom, "value": value, "why": why, "ahead": ahead}
        told = self._connection.post("/workers/grant", body)["grants"]
        return [read(Granted, each) for each in told]

    def revoke(self, workers: Sequence[int | str], qualification: str, why: str = "") -> list[Granted]:
        """Take a qualification away from workers; who does not have it stays as they are."""
        body = {"qualification": qualification, "workers": list(map(str, workers)), "why": why}
        told = self._connection.post("/workers/revoke", body)["grants"]
        return [read(Granted, each) for each in told]

    def why_worker(self, worker: int | str, run: RunName | None = None) -> Why:
        """Why a worker got what they got, in one run or in all: decisions with their facts, and history."""
        chosen: list[tuple[str, str | int]] = [("worker", worker)]
        chosen += [] if run is None else [("run", run)]
        return read(Why, self._connection.get("/why/worker", chosen))

    def why_unit(self, unit: int) -> Why:
        """Why a unit is where it is: whom it was given to, and how it came back."""
        return read(Why, self._connection.get(f"/why/unit/{unit:d}"))

    def why_agent(self, agent: int) -> Why:
        """Why an agent got its unit, and how it ended and was judged."""
        return read(Why, self._connection.get(f"/why/agent/{agent:d}"))
