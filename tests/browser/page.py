"""What a person sees and does on a worker's page, for tests."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

PATIENCE_S = 15.0


class Page:
    """The browser's present page, or the one in a tab. Waits until it is so, or fails saying what was."""

    def __init__(self, driver: WebDriver, tab: str = "", patience_s: float = PATIENCE_S) -> None:
        """With a `tab`, the handle of a window, this page is in front whenever it is used."""
        self._driver = driver
        self.tab = tab
        self._patience_s = patience_s

    @property
    def driver(self) -> WebDriver:
        """The browser, with this page in front."""
        if self.tab:
            self._driver.switch_to.window(self.tab)
        return self._driver

    def open(self, address: str, link: str = "ann") -> None:
        """Come by a personal link."""
        self.driver.get(f"{address}?link={link}" if link else address)

    def reload(self) -> None:
        self.driver.refresh()

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page."""
        driver: Any = self.driver  # selenium's own types are incomplete here
        return driver.execute_script(f"return {script}")

    @contextmanager
    def prepared(self, script: str) -> Generator[None, None, None]:
        """Every page opened meanwhile runs this before its own scripts."""
        driver: Any = self.driver
        added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
        try:
            yield
        finally:
            driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)

    def offline(self, is_offline: bool = True) -> None:
        """Cut the browser off the network, or bring it back."""
        driver: Any = self.driver
        limits = {"offline": is_offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.emulateNetworkConditions", limits)

    def emulate(self, command: str, arguments: dict[str, Any]) -> None:
        """Pretend another device: a command of Chromium's `Emulation` tools."""
        driver: Any = self.driver
        driver.execute_cdp_cmd(f"Emulation.{command}", arguments)

    @property
    def state(self) -> str:
        state: str = self.run("window.crowdd?.state")
        return state

    @property
    def words(self) -> str:
        """What the status line says."""
        words: str = self.run("document.querySelector('#crowdd')?.innerText ?? ''")
        return " ".join(words.split())

    def wait_state(self, state: str) -> None:
        self._until(
            lambda: self.state == state, lambda: f"state is {self.state!r}, not {state!r}: {self.words}"
        )

    def wait_words(self, words: str) -> None:
        self._until(lambda: words in self.words, lambda: f"the page says {self.words!r}, not {words!r}")

    def wait_for(self, script: str) -> Any:
        """Until the expression is true; its value."""
        self._until(lambda: self.run(script), lambda: f"never true: {script}; the page says {self.words!r}")
        return self.run(script)

    def find(self, css: str) -> WebElement:
        """The element, once it is seen."""
        self._until(lambda: self._seen(css), lambda: f"nothing seen at {css}: {self.words!r}")
        return self._seen(css)[0]

    def is_shown(self, css: str) -> bool:
        return bool(self._seen(css))

    def _seen(self, css: str) -> list[WebElement]:
        found = self.driver.find_elements(By.CSS_SELECTOR, css)
        return [element for element in found if element.is_displayed()]

    def press(self, label: str) -> None:
        """Click the button with this label."""
        self._until(
            lambda: self._pressed(f"//button[normalize-space(.)='{label}']"),
            lambda: f"no button {label!r}; the page says {self.words!r}",
        )

    def _pressed(self, path: str) -> bool:
        try:
            for button in self.driver.find_elements(By.XPATH, path):
                if button.is_displayed():
                    button.click()
                    return True
        except StaleElementReferenceException:
            pass  # the page has just made it anew
        return False

    def type(self, name: str, text: str) -> None:
        """Write into the field, in place of what is there."""
        field = self.find(f"[name={name}]")
        field.clear()
        field.send_keys(text)

    def value(self, name: str) -> str:
        value: str = self.run(f"document.querySelector('[name={name}]').value")
        return value

    def stored(self) -> list[str]:
        """The names of everything that the browser keeps for this page."""
        names: list[str] = self.run("Object.keys(localStorage).sort()")
        return names

    def _until(self, holds: Callable[[], Any], failure: Callable[[], str]) -> None:
        try:
            WebDriverWait(self.driver, self._patience_s, 0.05).until(lambda _: holds())
        except TimeoutException:
            pytest.fail(failure())
