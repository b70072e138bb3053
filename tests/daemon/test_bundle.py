"""What routers serve for a run: same input, same bytes; names that could do harm are refused."""

import gzip
import hashlib
import io
import json
import random
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from crowdd.daemon import bundle
from crowdd.daemon.blueprints.contract import Blueprint, BlueprintFault, Material
from crowdd.daemon.bundle import make_bundle, page_files
from crowdd.daemon.clock import wall_clock
from crowdd.daemon.house import House
from crowdd.daemon.providers.contract import Place
from crowdd.daemon.providers.mock import MockOptions, MockProvider
from crowdd.daemon.task_config import RunConfig
from crowdd.daemon.task_structuring import config_from_json
from crowdd.router.bundle import read_bundle

from .conftest import a_run

FILES = {"index.html": b"<p>", "assets/app.js": b"x" * 5000, "wrap_crowd_source.js": b"//"}


def unpacked(packed: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def test_the_same_files_give_the_same_bundle_in_any_order() -> None:
    again = dict(reversed(FILES.items()))
    assert make_bundle(FILES) == make_bundle(again)


def test_a_bundle_is_named_by_its_contents() -> None:
    sha256, packed = make_bundle(FILES)
    assert sha256 == hashlib.sha256(packed).hexdigest()
    assert make_bundle({**FILES, "index.html": b"<q>"})[0] != sha256


def test_what_went_in_comes_out() -> None:
    assert unpacked(make_bundle(FILES)[1]) == FILES


def test_the_router_reads_what_the_daemon_packs() -> None:
    pages = read_bundle(make_bundle({**FILES, "ü/日本.txt": b"x", "a" * 200 + ".txt": b"y"})[1])
    assert {name: page.content for name, page in pages.items()} == {
        **FILES, "ü/日本.txt": b"x", "a" * 200 + ".txt": b"y",
    }  # fmt: skip


def test_nothing_in_a_bundle_tells_when_or_by_whom_it_was_packed() -> None:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(make_bundle(FILES)[1]))) as tar:
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in tar} == {(0, 0, 0, "", "")}


@pytest.mark.parametrize("name", ["../x", "/x", "a/../x", "a//b", "./x", "", "a\nb", "a/", "\x00"])
def test_a_path_that_could_not_be_served_is_refused(name: str) -> None:
    with pytest.raises(BlueprintFault, match="is not a path that can be served"):
        make_bundle({"index.html": b"", name: b"x"})


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("BUNDLE_FILES_MAX", "has 3 files; at most 2"),
        ("BUNDLE_UNPACKED_BYTES_MAX", "has 5005 bytes; at most 2"),
        ("BUNDLE_BYTES_MAX", "bytes when packed; at most 2"),
    ],
)
def test_too_much_is_refused_with_the_limit(monkeypatch: pytest.MonkeyPatch, limit: str, said: str) -> None:
    monkeypatch.setattr(bundle, limit, 2)
    with pytest.raises(BlueprintFault, match=said):
        make_bundle(FILES)


@attrs.frozen
class NoOptions:
    """Nothing to choose."""


class Pages(Blueprint):
    """A blueprint with settings of its own, and pages that would rather bring our files, too."""

    name = "pages"
    Options = NoOptions

    def check(self) -> list[str]:
        return []

    def rows(self) -> Any:
        return iter(())

    def page_files(self) -> Mapping[str, bytes]:
        return {"index.html": b"<p>", "wrap_crowd_source.js": b"theirs", "task_config.json": b"theirs"}

    def task_config(self) -> dict[str, Any]:
        return {"color": "blue", "mephisto_task_version": "9"}


def config_of(**document: Any) -> RunConfig:
    return config_from_json({"name": "x", "architect": {"type": "mock"}, **document})


async def pages_of(house: House, config: RunConfig) -> dict[str, bytes]:
    place = Place(await a_run(house), house.storage, wall_clock, random.Random(), b"s" * 32)
    blueprint = Pages(NoOptions(), Material(Path(), config))
    return page_files(config, blueprint, MockProvider(MockOptions(), place))


async def test_the_providers_script_and_the_config_are_always_ours(house: House) -> None:
    pages = await pages_of(house, config_of())
    assert b"function getAgentRegistration(" in pages["wrap_crowd_source.js"]
    assert json.loads(pages["task_config.json"])["mephisto_task_version"] == "2.0.4"


async def test_the_authors_settings_reach_the_page_and_the_blueprint_has_the_last_word(house: House) -> None:
    config = config_of(task_config={"color": "red", "deep": {"a": [1, 2.5, None]}})
    settings = json.loads((await pages_of(house, config))["task_config.json"])
    assert (settings["color"], settings["deep"]) == ("blue", {"a": [1, 2.5, None]})


async def test_the_page_gets_the_words_that_the_author_changed_and_no_others(house: House) -> None:
    config = config_of(
        texts={"blocked": "Sorry."}, task_config={"texts": {"next": "Go on", "blocked": "No."}}
    )
    settings = json.loads((await pages_of(house, config))["task_config.json"])
    assert settings["texts"] == {"next": "Go on", "blocked": "Sorry."}
