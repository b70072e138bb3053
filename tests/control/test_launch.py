"""Launching over the control socket: an archive comes in, a run or all its problems come out."""

import io
import tarfile
import tempfile
from pathlib import Path

import pytest

from crowdd.protocol.limits import BUNDLE_BYTES_MAX

from .fakes import Desk


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


TASK = {"task.toml": b"name = 'digits'\n", "page/index.html": b"<p>hello"}


async def test_a_folder_becomes_a_run(desk: Desk) -> None:
    answer = await desk.ask("POST", "/v1/runs?launch_id=l1&set=label%3Dmine", packed(TASK))
    assert (answer.status, answer.json()["label"]) == (201, "mine")
    assert desk.operator.folders == [TASK]


async def test_overrides_launch_id_and_peer_reach_the_operator(desk: Desk) -> None:
    await desk.ask("POST", "/v1/runs?launch_id=l1&set=a.b%3D1%3D2&set=c%3D", packed(TASK))
    you = (await desk.ask("GET", "/v1/status")).json()["you"]
    assert desk.operator.launches == [({"a.b": "1=2", "c": ""}, "l1", you)]


async def test_the_same_launch_id_gives_the_same_run(desk: Desk) -> None:
    first = await desk.ask("POST", "/v1/runs?launch_id=l1", packed(TASK))
    again = await desk.ask("POST", "/v1/runs?launch_id=l1", packed(TASK))
    assert first.json()["id"] == again.json()["id"]


async def test_without_a_launch_id_every_launch_is_a_new_one(desk: Desk) -> None:
    for _ in range(2):
        await desk.ask("POST", "/v1/runs", packed(TASK))
    assert len({launch_id for _, launch_id, _ in desk.operator.launches}) == 2


async def test_a_refused_task_comes_back_with_all_problems(desk: Desk) -> None:
    answer = await desk.ask("POST", "/v1/runs?set=nonsense%3D1", packed(TASK))
    assert (answer.status, answer.error()["code"]) == (422, "launch_refused")
    assert answer.error()["problems"] == [
        "nonsense: is not known; did you mean 'name'?",
        "data.file: no such file",
    ]


@pytest.mark.parametrize(
    "body",
    [b"", b"not an archive", packed(TASK)[:-20], packed({"../evil": b"x"})],
    ids=["empty", "not an archive", "cut short", "a path out of it"],
)
async def test_what_is_no_task_archive_launches_nothing(desk: Desk, body: bytes) -> None:
    answer = await desk.ask("POST", "/v1/runs", body)
    assert answer.status in (400, 422)
    assert desk.operator.launches == []


async def test_an_archive_over_its_limit_is_413_before_it_is_read(desk: Desk) -> None:
    answer = await desk.ask(
        "POST", "/v1/runs", b"x" * 1000, headers={"Content-Length": str(BUNDLE_BYTES_MAX + 1)}
    )
    assert (answer.status, answer.error()["code"]) == (413, "too_large")


async def test_an_archive_that_hides_its_size_is_413_all_the_same(desk: Desk) -> None:
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (BUNDLE_BYTES_MAX + 1, bytes(BUNDLE_BYTES_MAX + 1))
    answer = await desk.ask("POST", "/v1/runs", body, headers={"Transfer-Encoding": "chunked"})
    assert (answer.status, answer.error()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "query",
    [
        "set=novalue",
        "set=%3Dvalue",
        "launch_id=" + "x" * 101,
        "launch_id=a%0Ab",
        "&".join(["set=a%3D1"] * 201),
    ],
)
async def test_a_launch_that_makes_no_sense_is_400(desk: Desk, query: str) -> None:
    answer = await desk.ask("POST", f"/v1/runs?{query}", packed(TASK))
    assert (answer.status, answer.error()["code"]) == (400, "bad_request")


async def test_nothing_is_left_in_the_scratch_folder(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    await desk.ask("POST", "/v1/runs", packed(TASK))
    await desk.ask("POST", "/v1/runs?set=nonsense%3D1", packed(TASK))
    assert list(scratch.iterdir()) == []
