"""Where metrics may be read: addresses that only this machine reaches; and what is answered there."""

from pathlib import Path

import httpx
import pytest
import trio

from crowdd.daemon.clock import wall_clock
from crowdd.daemon.degraded import Degradation, Degraded
from crowdd.daemon.metrics.address import AddressRefused, MetricsAddress, metrics_address
from crowdd.daemon.metrics.door import MetricsDoor
from crowdd.daemon.metrics.families import Metrics
from crowdd.daemon.metrics.readings import RunReading
from crowdd.daemon.metrics.service import Held, MetricsAddressTaken, serve_metrics
from crowdd.daemon.store_loss import StoreLoss
from crowdd.storage.errors import StorageFailed

LOCAL = metrics_address("127.0.0.1:0")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9469", MetricsAddress("127.0.0.1", 9469)),
        ("127.9.9.9:1", MetricsAddress("127.9.9.9", 1)),
        ("localhost:9469", MetricsAddress("127.0.0.1", 9469)),
        ("[::1]:9469", MetricsAddress("::1", 9469)),
        ("unix:/run/crowdd/metrics", MetricsAddress(path=Path("/run/crowdd/metrics"))),
    ],
)
def test_an_address_of_this_machine_alone_is_taken(text: str, address: MetricsAddress) -> None:
    assert metrics_address(text) == address


@pytest.mark.parametrize(
    "text",
    ["0.0.0.0:9469", "[::]:9469", "192.168.1.7:9469", "10.0.0.1:1", "[fe80::1]:9469", "[::ffff:10.0.0.1]:1"],
)
def test_an_address_that_others_reach_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(AddressRefused, match="other machines"):
        metrics_address(text)


@pytest.mark.parametrize(
    "text",
    ["", "9469", ":9469", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "a.host:1", "unix:"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressRefused):
        metrics_address(text)


class NoRuns:
    """An operator that holds nothing."""

    def __init__(self, *held: Held) -> None:
        self.metrics = Metrics()
        self.loss = StoreLoss(Degraded(wall_clock))
        self._held = held

    def live_runs(self) -> tuple[Held, ...]:
        return self._held

    def degraded(self) -> list[Degradation]:
        return []


class Lost:
    """A run whose store is gone."""

    async def reading(self) -> RunReading:
        raise StorageFailed("the disk is gone")


async def test_metrics_are_served_as_prometheus_text() -> None:
    async with trio.open_nursery() as nursery, httpx.AsyncClient(trust_env=False) as http:
        url = await nursery.start(serve_metrics, NoRuns(), LOCAL)
        answer = await http.get(url)
        nursery.cancel_scope.cancel()
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "\ncrowdd_commit_seconds_count 0.0\n" in answer.text


async def test_nothing_else_is_served_there() -> None:
    async with trio.open_nursery() as nursery, httpx.AsyncClient(trust_env=False) as http:
        url = await nursery.start(serve_metrics, NoRuns(), LOCAL)
        statuses = [
            (await http.get(url.removesuffix("/metrics") + "/v1/runs")).status_code,
            (await http.post(url)).status_code,
        ]
        nursery.cancel_scope.cancel()
    assert statuses == [404, 405]


async def test_a_unix_socket_serves_them_and_is_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "metrics"
    transport = httpx.AsyncHTTPTransport(uds=str(path))
    async with trio.open_nursery() as nursery, httpx.AsyncClient(transport=transport) as http:
        assert await nursery.start(serve_metrics, NoRuns(), MetricsAddress(path=path)) == f"unix:{path}"
        mode = path.stat().st_mode & 0o777
        status = (await http.get("http://crowdd/metrics")).status_code
        nursery.cancel_scope.cancel()
    assert (status, mode, path.exists()) == (200, 0o660, False)


async def test_once_they_have_moved_nobody_is_served_at_the_old_address(tmp_path: Path) -> None:
    door, old, new = MetricsDoor(NoRuns()), tmp_path / "old", tmp_path / "new"
    async with trio.open_nursery() as nursery:
        await nursery.start(door.serve, MetricsAddress(path=old))
        for address, served in (
            (MetricsAddress(path=new), new),
            (MetricsAddress(path=old), old),
            (None, None),
        ):
            await door.move(address)
            assert [path for path in (old, new) if path.exists()] == [path for path in (served,) if path]
        nursery.cancel_scope.cancel()


async def test_an_address_that_is_taken_is_refused_with_the_reason(tmp_path: Path) -> None:
    (in_the_way := tmp_path / "metrics").write_text("")
    async with trio.open_nursery() as nursery:
        url = await nursery.start(serve_metrics, NoRuns(), LOCAL)
        taken = metrics_address(url.removeprefix("http://").removesuffix("/metrics"))
        for address in (taken, MetricsAddress(path=in_the_way)):
            with pytest.raises(MetricsAddressTaken, match="cannot be served"):
                await nursery.start(serve_metrics, NoRuns(), address)
        nursery.cancel_scope.cancel()


async def test_a_reader_that_never_asks_does_not_hold_up_the_end() -> None:
    async with trio.open_nursery() as nursery:
        url = await nursery.start(serve_metrics, NoRuns(), LOCAL)
        silent = await trio.open_tcp_stream("127.0.0.1", int(url.split(":")[2].removesuffix("/metrics")))
        await silent.send_all(b"GET /met")
        with trio.fail_after(30):  # for ever, if the end waited for it
            nursery.cancel_scope.cancel()
    await silent.aclose()


async def test_a_scrape_that_finds_the_store_lost_tells_the_daemon() -> None:
    operator = NoRuns(Lost())
    async with trio.open_nursery() as nursery, httpx.AsyncClient(trust_env=False) as http:
        url = await nursery.start(serve_metrics, operator, LOCAL)
        assert (await http.get(url)).status_code == 500
        assert (await http.get(url)).status_code == 503
        nursery.cancel_scope.cancel()
    assert isinstance(operator.loss.error, StorageFailed)
