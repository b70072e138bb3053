"""Whose pages may connect and post (SEC7)."""

import pytest

from crowdd.router.origin import may_connect, may_post

OWN = [
    ("http://digits.example.org", "digits.example.org", "http"),
    ("http://digits.example.org:8080", "digits.example.org:8080", "http"),
    ("http://127.0.0.1:4000", "127.0.0.1:4000", "http"),
    ("http://[::1]:4000", "[::1]:4000", "http"),
    ("https://digits.example.org", "digits.example.org", "https"),
    ("https://digits.example.org", "digits.example.org:443", "https"),
    ("https://digits.example.org", "digits.example.org", "http"),  # TLS ends before us
    ("http://digits.example.org:80", "digits.example.org", "http"),
    ("http://DIGITS.example.org", "digits.example.org", "http"),
]

FOREIGN = [
    ("http://evil.org", "digits.example.org", "http"),
    ("null", "digits.example.org", "http"),
    ("", "digits.example.org", "http"),
    ("http://digits.example.org.evil.org", "digits.example.org", "http"),
    ("http://evildigits.example.org", "digits.example.org", "http"),
    ("http://example.org", "digits.example.org", "http"),
    ("http://digits.example.org:8081", "digits.example.org:8080", "http"),
    ("http://digits.example.org", "digits.example.org:8080", "http"),
    ("http://digits.example.org", "digits.example.org", "https"),  # a page that lost its TLS
    ("ftp://digits.example.org", "digits.example.org", "http"),
    ("http://user@digits.example.org", "digits.example.org", "http"),
    ("http://digits.example.org/", "digits.example.org", "http"),
    ("http://digits.example.org#", "digits.example.org", "http"),
    ("http://digits.example.org:99999999", "digits.example.org", "http"),
    ("http://[::1", "[::1", "http"),
]


@pytest.mark.parametrize(("origin", "host", "scheme"), OWN)
def test_the_runs_own_pages_may_connect_and_post(origin: str, host: str, scheme: str) -> None:
    assert may_connect(origin, host, scheme, ())
    assert may_post(origin, None, host, scheme, ())


@pytest.mark.parametrize(("origin", "host", "scheme"), FOREIGN)
def test_other_pages_may_not(origin: str, host: str, scheme: str) -> None:
    assert not may_connect(origin, host, scheme, ())
    assert not may_post(origin, "same-origin", host, scheme, ())


def test_an_upgrade_without_an_origin_is_not_a_browsers() -> None:
    assert not may_connect(None, "digits.example.org", "http", ())


@pytest.mark.parametrize(("fetch_site", "may"), [(None, True), ("same-origin", True), ("none", True)])
def test_a_post_without_an_origin_is_judged_by_what_the_browser_says(
    fetch_site: str | None, may: bool
) -> None:
    assert may_post(None, fetch_site, "digits.example.org", "http", ()) is may


@pytest.mark.parametrize("fetch_site", ["cross-site", "same-site", "else"])
def test_a_post_from_another_site_is_refused_even_without_an_origin(fetch_site: str) -> None:
    assert not may_post(None, fetch_site, "digits.example.org", "http", ())


def test_a_trusted_origin_may_post() -> None:
    assert may_post("https://lab.org", "cross-site", "digits.example.org", "http", ("https://lab.org",))
    assert not may_post(
        "https://lab.org.evil", "cross-site", "digits.example.org", "http", ("https://lab.org",)
    )
