"""How a page looks: on a screen of some size, in light and dark, and whether its words can be read."""

from collections.abc import Generator
from contextlib import contextmanager

from .page import Page

CONTRASTS = """(() => {
  const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = (c) => c.map((v) => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const back = (e) => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c.slice(0, 3); }
    return [255, 255, 255]; };
  return [...document.querySelectorAll('[data-crowdd] *, #crowdd *')].filter((e) => e.offsetParent
    && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())).map((e) => {
      const front = parse(getComputedStyle(e).color).slice(0, 3);
      const [a, b] = [light(front), light(back(e))].sort((x, y) => y - x);
      return [e.textContent.trim().slice(0, 20), (a + 0.05) / (b + 0.05)]; });
})()"""


def contrasts_of(page: Page) -> list[tuple[str, float]]:
    """The beginning of every text that is seen, and how much it stands out from what is behind it."""
    found: list[tuple[str, float]] = page.run(CONTRASTS)
    return found


@contextmanager
def emulated(page: Page, width: int, height: int, scheme: str) -> Generator[None, None, None]:
    """A screen of this size, of somebody with this taste in colours who likes things to stand still."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    page.emulate("setDeviceMetricsOverride", size)
    taste = [("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")]
    page.emulate("setEmulatedMedia", {"features": [{"name": name, "value": value} for name, value in taste]})
    try:
        yield
    finally:
        page.emulate("clearDeviceMetricsOverride", {})
        page.emulate("setEmulatedMedia", {"features": []})
