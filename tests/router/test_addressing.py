"""Which run a request means."""

import pytest

from crowdd.router.addressing import Place, is_label, locate

RUNS = {"digits", "chat-2"}


@pytest.mark.parametrize(
    ("host", "path", "place"),
    [
        ("digits.example.org", "/", Place("digits", "/")),
        ("DIGITS.example.org:8080", "/a.js", Place("digits", "/a.js")),
        ("chat-2.localhost:4000", "/x", Place("chat-2", "/x")),
        ("other.example.org", "/", None),
        ("digits", "/", None),
        ("127.0.0.1:4000", "/", None),
        ("", "/", None),
        ("[::1]:4000", "/", None),
    ],
)
def test_a_run_is_found_by_its_host(host: str, path: str, place: Place | None) -> None:
    assert locate(host, path, RUNS, None, shared_origin=False) == place


def test_a_run_is_found_by_its_path_only_where_origins_are_shared() -> None:
    assert locate("example.org", "/run/digits/a.js", RUNS, None, shared_origin=True) == Place(
        "digits", "/a.js"
    )
    assert locate("example.org", "/run/digits", RUNS, None, shared_origin=True) == Place("digits", None)
    assert locate("example.org", "/run/digits/a.js", RUNS, None, shared_origin=False) is None
    assert locate("example.org", "/run/nobody/", RUNS, None, shared_origin=True) is None


def test_the_root_serves_a_run_only_if_it_is_named() -> None:
    assert locate("127.0.0.1:4000", "/x", RUNS, "digits", shared_origin=False) == Place("digits", "/x")
    assert locate("127.0.0.1:4000", "/x", RUNS, "gone", shared_origin=False) is None


@pytest.mark.parametrize("label", ["a", "a1-b", "x" * 40])
def test_labels(label: str) -> None:
    assert is_label(label)


@pytest.mark.parametrize("text", ["", "A", "-a", "a-", "a.b", "a/b", "..", "x" * 41, "a\n", "ä", "a_b"])
def test_what_is_no_label(text: str) -> None:
    assert not is_label(text)
