"""A late answer in the store of a daemon that runs, without a daemon that was away for so long."""

import sqlite3
from contextlib import closing
from pathlib import Path

import httpx

HEADERS = {"X-Crowdd-Client": "1"}


async def registered(http: httpx.AsyncClient, link: str) -> str:
    """An agent at work, by a personal link."""
    data = {"worker_name": "x", "agent_registration_id": "x", "link": link.rpartition("=")[2], "after": ""}
    answer = await http.post("/request_agent", json={"provider_data": data}, headers=HEADERS)
    return str(answer.json()["data"]["agent_id"])


async def too_late(http: httpx.AsyncClient, link: str, store: Path) -> None:
    """A worker gives a unit back, and a router brings an answer of theirs when it is somebody else's."""
    wire_id = await registered(http, link)
    await http.post("/return_unit", json={"USED_AGENT_ID": wire_id}, headers=HEADERS)
    with closing(sqlite3.connect(store, timeout=20)) as db, db:
        db.execute(
            "INSERT INTO late_answer"
            " (run_id, agent_id, wire_id, is_answer, data, files, digest, why, received_at)"
            " SELECT run_id, id, wire_id, 1, '{}', '[]', 'digest', 'it was late', created_at"
            " FROM agent WHERE wire_id = ?",
            [wire_id],
        )
