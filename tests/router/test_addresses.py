"""As whom a connection is counted."""

import pytest

from crowdd.router.addresses import Proxies, sender


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unknown", ""),
        ("x" * 8_000, ""),
    ],
)
def test_sec9_ipv6_is_counted_by_network_and_what_is_no_address_as_one(address: str, counted: str) -> None:
    assert sender(address) == counted


def test_proxies_are_named_by_address_or_network() -> None:
    proxies = Proxies(["10.0.0.0/8", "::1"])
    assert "10.1.2.3" in proxies
    assert "::1" in proxies
    for other in ("11.0.0.1", "::2", "", "10.0.0.0/8"):
        assert other not in proxies


def test_every_peer_may_be_trusted() -> None:
    assert "anything" in Proxies(["*"])


def test_sec22_a_proxy_that_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="localhost"):
        Proxies(["localhost"])
