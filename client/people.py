"""Workers, what they are qualified for, who is barred, and why they got what they got."""

from collections.abc import Iterator, Sequence

from . import shapes
from .asking import Asking, RunName
from .reading import read

BLOCK_S = 120.0  # a thousand workers, and a provider that is given a moment


class People(Asking):
    """What `Client` asks about people."""

    def workers(self, provider: str | None = None) -> "Iterator[shapes.WorkerInfo]":
        """Everybody who ever came, or came through one provider, in order."""
        chosen = [] if provider is None else [("provider", provider)]
        return self._pages(shapes.WorkerInfo, "/workers", "workers", chosen)

    def worker(self, worker: int | str) -> "shapes.WorkerDetails":
        """One worker, by number or `provider:name`."""
        return read(shapes.WorkerDetails, self._connection.get("/worker", [("worker", worker)]))

    def work_of(self, worker: int | str) -> "Iterator[shapes.WorkInfo]":
        """Everything a worker worked on, in order."""
        return self._pages(shapes.WorkInfo, "/worker/agents", "agents", [("worker", worker)])

    def block(self, workers: Sequence[int | str], reason: str) -> "list[shapes.BlockInfo]":
        """Let these workers have nothing new, in any run; who is at work keeps their unit. All or none."""
        return self._set_blocked("block", workers, reason)

    def unblock(self, workers: Sequence[int | str], reason: str = "") -> "list[shapes.BlockInfo]":
        """Let these workers in again. All or none."""
        return self._set_blocked("unblock", workers, reason)

    def _set_blocked(self, how: str, workers: Sequence[int | str], reason: str) -> "list[shapes.BlockInfo]":
        body = {"workers": list(map(str, workers)), "reason": reason}
        told = self._connection.post(f"/workers/{how}", body, BLOCK_S)["workers"]
        return [read(shapes.BlockInfo, each) for each in told]

    def qualifications(self) -> "list[shapes.QualificationInfo]":
        """All qualifications, in the order in which they were made."""
        told = self._connection.get("/qualifications")["qualifications"]
        return [read(shapes.QualificationInfo, each) for each in told]

    def create_qualification(self, name: str, description: str | None = None) -> "shapes.QualificationInfo":
        """Make a qualification."""
        body = {"name": name, **({} if description is None else {"description": description})}
        return read(shapes.QualificationInfo, self._connection.post("/qualifications", body))

    def qualification(self, name: str) -> "shapes.QualificationDetails":
        """One qualification with its newest changes."""
        return read(shapes.QualificationDetails, self._connection.get("/qualification", [("name", name)]))

    def holders(self, qualification: str) -> "Iterator[shapes.Holder]":
        """Who has it, by worker number."""
        return self._pages(shapes.Holder, "/qualification/workers", "workers", [("name", qualification)])

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
    ) -> "list[shapes.Granted]":
        """Give workers a value of a qualification; it replaces what they had. All or none.

        `ahead`: also to those who never came, written PROVIDER:NAME.
        """
        whom = {"qualification": qualification, "workers": list(map(str, workers))}
        body = {**whom, "value": value, "why": why, "ahead": ahead}
        told = self._connection.post("/workers/grant", body)["grants"]
        return [read(shapes.Granted, each) for each in told]

    def revoke(
        self, workers: Sequence[int | str], qualification: str, why: str = ""
    ) -> "list[shapes.Granted]":
        """Take a qualification away from workers; who does not have it stays as they are."""
        body = {"qualification": qualification, "workers": list(map(str, workers)), "why": why}
        told = self._connection.post("/workers/revoke", body)["grants"]
        return [read(shapes.Granted, each) for each in told]

    def why_worker(self, worker: int | str, run: RunName | None = None) -> "shapes.Why":
        """Why a worker got what they got, in one run or in all: decisions with their facts, and history."""
        chosen: list[tuple[str, str | int]] = [("worker", worker)]
        chosen += [] if run is None else [("run", run)]
        return read(shapes.Why, self._connection.get("/why/worker", chosen))

    def why_unit(self, unit: int) -> "shapes.Why":
        """Why a unit is where it is: whom it was given to, and how it came back."""
        return read(shapes.Why, self._connection.get(f"/why/unit/{unit:d}"))

    def why_agent(self, agent: int) -> "shapes.Why":
        """Why an agent got its unit, and how it ended and was judged."""
        return read(shapes.Why, self._connection.get(f"/why/agent/{agent:d}"))
