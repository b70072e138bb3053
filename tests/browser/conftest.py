"""A real Chromium for the session, and a page in it for each test. Without one they fail, never skip."""

import shutil
import subprocess
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

import crowdd.examples
from crowdd.daemon.blueprints.pages import page_script, read_page

from ..system.processes import Daemon
from .cable import open_cable
from .fake_router import FakeRouter, open_fake_router
from .group_talk import NAMES, Tab, Talk
from .page import Page

REMEDY = "no Chromium was found: apt-get install chromium chromium-driver (or leave out: -m 'not browser')"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SOURCE = Path(__file__).parent.parent / "unchanged"
NPM_REMEDY = "npm was not found: apt-get install nodejs npm (or leave out: -m 'not browser')"
NPM_S = 300
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
Seat = Callable[..., Awaitable[Talk]]


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


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that is not started yet; it and its routers are ended at the end."""
    daemon = Daemon(tmp_path / "data")
    try:
        yield daemon
    finally:
        daemon.clean_up()


@pytest.fixture
def seat(daemon: Daemon, page: Page) -> Iterator[Seat]:
    """Starts everything, and opens a tab for each of a group: each has its own cable to the router."""
    with ExitStack() as cables:

        async def seated(task: Path, size: int, kind: type[Tab] = Tab) -> Talk:
            await daemon.start()
            label = await daemon.launch(task)
            tabs: list[Tab] = []
            for name, link in zip(NAMES, await daemon.links(label, size), strict=False):
                cable = cables.enter_context(open_cable(link))
                page.driver.switch_to.new_window("tab")
                tabs.append(kind(page.driver, name, cable))
                tabs[-1].come()
            for tab in tabs:
                tab.wait_at_work()
            return Talk(daemon, label, tabs)

        yield seated


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page, built of the package as its users build theirs. Fails, never skips, without npm."""
    if shutil.which("npm") is None:
        pytest.fail(NPM_REMEDY)
    folder = tmp_path_factory.mktemp("unchanged") / "page"
    shutil.copytree(SOURCE, folder)
    _run(folder, "npm", "install", "--no-package-lock", "--no-audit", "--no-fund")
    flags = ("--bundle", "--loader:.js=jsx", '--define:process.env.NODE_ENV="production"')
    _run(folder, "node_modules/.bin/esbuild", "page.jsx", *flags, "--outfile=bundle.js")
    return folder


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=NPM_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


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
