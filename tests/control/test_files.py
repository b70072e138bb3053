"""Uploaded files, given back by their digest; nothing else of the disk is."""

import hashlib
from pathlib import Path

import pytest

from .fakes import Desk

CONTENT = b"\x00\xff" * 300_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


async def test_an_uploaded_file_comes_as_it_is(desk: Desk, tmp_path: Path) -> None:
    await desk.operator.a_run("digits")
    desk.operator.files = tmp_path
    (tmp_path / SHA256).write_bytes(CONTENT)
    answer = await desk.ask("GET", f"/v1/runs/digits/files/{SHA256}")
    assert (answer.status, answer.body) == (200, CONTENT)


@pytest.mark.parametrize("name", ["0" * 64, "secret", "..", "%2e%2e", "..%2fsecret", SHA256.upper()])
async def test_what_is_no_uploaded_file_is_refused(desk: Desk, tmp_path: Path, name: str) -> None:
    await desk.operator.a_run("digits")
    desk.operator.files = tmp_path / "files"
    desk.operator.files.mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    (desk.operator.files / "secret").write_bytes(b"x")
    assert (await desk.ask("GET", f"/v1/runs/digits/files/{name}")).status == 404


@pytest.mark.parametrize("damaged", [b"", CONTENT[:-1], CONTENT[:-1] + b"!"])
async def test_flt17_an_uploaded_file_that_is_damaged_is_named_and_not_sent(
    desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture, damaged: bytes
) -> None:
    await desk.operator.a_run("digits")
    desk.operator.files = tmp_path
    (tmp_path / SHA256).write_bytes(damaged)
    answer = await desk.ask("GET", f"/v1/runs/digits/files/{SHA256}")
    assert (answer.status, answer.error()["code"]) == (410, "file_damaged")
    assert f"{tmp_path / SHA256} is damaged" in caplog.text
