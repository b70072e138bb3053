"""Who sends files over a slow line sees how far they are, and is told as ever what becomes of them."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .cable import ENDLESS, Cable, open_cable
from .conftest import OpenRouter
from .fake_router import FakeRouter, Reply
from .page import Page

pytestmark = pytest.mark.browser

MB = 1_000_000
FILM_MB = 40  # a quarter is more than browser and kernel take in before the line has carried it
BODY = "<form data-crowdd='task'><input type='file' name='film'><button>Save</button></form>"
CONFIG = b'{"socket": false}'  # the line carries nothing but what is asked
SHOWN = "document.querySelector('#crowdd progress')"
HEARD = "document.querySelector('#crowdd .crowdd-heard').textContent"
TIMERS = """const timers = window.timers = [], set = window.setTimeout;
  window.setTimeout = (act, ms) => { timers.push([ms, act]); return set(act, ms); };"""
EVERYTHING_SHOWN = """const seen = window.seen = [];
  const note = ({ className, id }) => seen.push(`${className || id}`);
  new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach(note)))
    .observe(document, { childList: true, subtree: true });"""


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    with path.open("wb") as file:
        file.truncate(FILM_MB * MB)
    return path


def start(page: Page, address: str, file: Path) -> None:
    """A worker has chosen the file, and nothing of it was sent."""
    page.open(address)
    page.wait_state("in task")
    page.find("[type=file]").send_keys(str(file))


@contextmanager
def slow_line(serve: OpenRouter, page: Page, film: Path) -> Generator[tuple[FakeRouter, Cable]]:
    """The film is on its way, and the line has carried 30 percent of it."""
    with serve(BODY, config=CONFIG) as router, open_cable(router.address) as cable:
        start(page, cable.link, film)
        cable.allow(FILM_MB * MB * 30 // 100)
        page.press("Save")
        page.wait_for(f"{SHOWN}?.value >= 30")
        yield router, cable


def test_an_upload_shows_how_far_it_is(serve: OpenRouter, page: Page, film: Path) -> None:
    with slow_line(serve, page, film) as (_, cable):
        assert page.run(f"{SHOWN}.value") < 60
        cable.allow(FILM_MB * MB * 30 // 100)
        page.wait_for(f"{SHOWN}.value >= 60")


def test_the_progress_is_said_in_words(serve: OpenRouter, page: Page, film: Path) -> None:
    with slow_line(serve, page, film):
        words = f"`Sending your files: ${{Math.floor({SHOWN}.value)}}\u00a0%`"
        page.wait_for(f"{SHOWN}.labels[0].innerText.trim() === {words}")


def test_the_progress_says_what_it_is_of(serve: OpenRouter, page: Page, film: Path) -> None:
    with slow_line(serve, page, film):
        assert page.find("#crowdd progress").accessible_name.startswith("Sending your files: ")


def test_who_listens_is_told_each_quarter(serve: OpenRouter, page: Page, film: Path) -> None:
    with slow_line(serve, page, film) as (_, cable):
        page.wait_for(f"{HEARD} === '25\\u00a0% of your files are sent'")
        cable.allow(FILM_MB * MB * 25 // 100)
        page.wait_for(f"{HEARD} === '50\\u00a0% of your files are sent'")
        assert page.find("#crowdd .crowdd-heard").aria_role == "status"


def test_a_long_upload_arrives_once(serve: OpenRouter, page: Page, film: Path) -> None:
    with slow_line(serve, page, film) as (router, cable):
        cable.allow(ENDLESS)
        page.wait_state("completed")
        sent = [asked.files for asked in router.asked if asked.path == "submit_task"]
        assert sent == [{"film:film.mp4": film.read_bytes()}]


def test_nothing_of_the_progress_is_left_after_the_answer(serve: OpenRouter, page: Page, film: Path) -> None:
    with slow_line(serve, page, film) as (_, cable):
        cable.allow(ENDLESS)
        page.wait_state("completed")
        assert page.run(f"[{SHOWN}, {HEARD}]") == [None, ""]


def test_a_cut_in_the_middle_is_said_and_sending_again_works(
    serve: OpenRouter, page: Page, film: Path
) -> None:
    with slow_line(serve, page, film) as (router, cable):
        cable.pull()
        page.wait_words("Not saved yet The server cannot be reached at the moment.")
        assert page.run(f"[{SHOWN}, {HEARD}]") == [None, ""]
        cable.plug_in()
        cable.allow(ENDLESS)
        page.press("Try now")
        page.wait_state("completed")
        assert len(router.bodies("submit_task")) == 1


def test_an_upload_on_a_dead_line_is_given_up_when_its_time_is_over(
    serve: OpenRouter, page: Page, film: Path
) -> None:
    with page.prepared(TIMERS), slow_line(serve, page, film):
        page.run("timers.filter(([ms]) => ms === 900_000).map(([, act]) => act())")
        page.wait_words("Not saved yet")


def test_an_upload_that_is_done_in_a_moment_shows_no_progress(
    serve: OpenRouter, page: Page, tmp_path: Path
) -> None:
    photo = tmp_path / "cat.png"
    photo.write_bytes(b"a cat")
    with page.prepared(EVERYTHING_SHOWN), serve(BODY) as router:
        start(page, router.address, photo)
        page.press("Save")
        page.wait_state("completed")
        seen = page.run("seen")
        assert "crowdd" in seen
        assert [name for name in seen if "crowdd-upload" in name] == []


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<!doctype html><p>Please log in to the hotel's network</p>"),
        Reply(303, headers={"Location": "elsewhere.json"}),
        Reply(307, headers={"Location": "elsewhere.json"}),
    ],
    ids=["log-in page", "elsewhere", "sent on"],
)
def test_an_upload_that_another_server_took_is_not_saved(
    serve: OpenRouter, page: Page, tmp_path: Path, reply: Reply
) -> None:
    photo = tmp_path / "cat.png"
    photo.write_bytes(b"a cat")
    elsewhere = {"elsewhere.json": b'{"status": "Submitted!"}'}
    with serve(BODY, files=elsewhere) as router:
        router.script["submit_task"].append(reply)
        start(page, router.address, photo)
        page.press("Save")
        page.wait_words("Not saved yet")
        assert page.state == "in task"


def test_an_upload_is_sent_again_when_the_server_said(serve: OpenRouter, page: Page, tmp_path: Path) -> None:
    photo = tmp_path / "cat.png"
    photo.write_bytes(b"a cat")
    with serve(BODY) as router:
        router.script["submit_task"].append(Reply(503, {"text": "Slowly."}, {"Retry-After": "300"}))
        start(page, router.address, photo)
        page.press("Save")
        page.wait_words("Trying again in 300 s")
        page.press("Try now")
        page.wait_state("completed")


def test_an_upload_says_that_a_page_of_ours_sends_it(serve: OpenRouter, page: Page, tmp_path: Path) -> None:
    photo = tmp_path / "cat.png"
    photo.write_bytes(b"a cat")
    with serve(BODY) as router:
        start(page, router.address, photo)
        page.press("Save")
        page.wait_state("completed")
        assert router.asked[-1].headers["x-crowdd-client"] == "1"
