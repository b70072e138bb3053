"""A real Chromium for the session, and a page in it for each test. Without one they fail, never skip."""

import shutil
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

import crowdd.examples
from crowdd.daemon.blueprints.pages import page_script, read_page

from .fake_router import FakeRouter, open_fake_router
from .page import Page

REMEDY = "no Chromium was found: apt-get install chromium chromium-driver (or leave out: -m 'not browser')"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRIVERS = ("chromedriver", "chromium.chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)

OpenRouter = Callable[..., AbstractContextManager[FakeRouter]]


def _found(names: Sequence[str]) -> str:
    paths = [path for name in names if (path := shutil.which(name))]
    if not paths:
        pytest.fail(REMEDY)
    return paths[0]


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """One Chromium for all browser tests, with a profile of its own."""
    options = Options()
    options.binary_location = _found(BROWSERS)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}", "--window-size=1200,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chromium = webdriver.Chrome(options, Service(_found(DRIVERS)))
    try:
        yield chromium
    finally:
        chromium.quit()


@pytest.fixture
def page(driver: webdriver.Chrome) -> Iterator[Page]:
    """The browser, empty before and after the test, whatever windows it opened."""
    first = driver.current_window_handle
    yield Page(driver)
    for window in driver.window_handles:
        driver.switch_to.window(window)
        if window != first:
            driver.close()
    driver.switch_to.window(first)
    driver.get("about:blank")


FORM = """
<form data-crowdd="task">
  <p id="words">${text}</p>
  <label>Answer <input name="answer" required></label>
  <button>Save</button>
</form>
"""


def html(body: str, head: str = "") -> bytes:
    """An author's page with this body."""
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A task</title>
<script src="crowdd.js"></script>{head}</head><body>{body}</body></html>""".encode()


@pytest.fixture
def serve() -> OpenRouter:
    """Opens a fake router with the author's body and data; everything else as crowdd serves it."""

    @contextmanager
    def opened(
        body: str = FORM,
        units: Sequence[Any] = ({"text": "one"}, {"text": "two"}),
        config: bytes = b"{}",
        files: Mapping[str, bytes] | None = None,
    ) -> Generator[FakeRouter, None, None]:
        pages = {
            "index.html": html(body),
            "crowdd.js": page_script(),
            "task_config.json": config,
            **(files or {}),
        }
        with open_fake_router(pages, units) as router:
            yield router

    return opened


@pytest.fixture
def digits() -> Mapping[str, bytes]:
    """The page of the digits example."""
    folder = Path(crowdd.examples.__file__).parent / "digits" / "page"
    return read_page(folder)
