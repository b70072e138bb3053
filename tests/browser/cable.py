"""The network between one browser and a server: a relay on a port of its own, whose cable can be pulled.

It can be as slow as a test likes: it carries so many bytes from the browser, and more when it is told to.
"""

import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

CHUNK = 65_536
ENDLESS = 2**63
HOST = "127.0.0.1"


class Cable:
    """Carries bytes until it is pulled. Browsers notice at once, as they do; servers do not."""

    def __init__(self, link: str) -> None:
        """To the server of this link."""
        address = urlsplit(link)
        self._target = (str(address.hostname), int(address.port or 80))
        self._listener = socket.create_server((HOST, 0))
        # What waits in here counts as sent for the browser: little, so that it knows what has passed.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, CHUNK)
        self.link = address._replace(netloc=f"{HOST}:{self._listener.getsockname()[1]}").geturl()
        """The same link, by way of the cable."""
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)
        self._pulled = False
        self._outward = ENDLESS
        self._near: set[socket.socket] = set()
        self._far: set[socket.socket] = set()
        threading.Thread(target=self._serve, daemon=True).start()

    def allow(self, amount: int) -> None:
        """From now on so many bytes pass from the browser, and then none until this is called again."""
        with self._news:
            self._outward = amount
            self._news.notify_all()

    def pull(self) -> None:
        """Nothing passes, and nothing new is taken; the server's side stays open and silent."""
        with self._news:
            self._pulled = True
            self._news.notify_all()
            _end(self._near)

    def plug_in(self) -> None:
        """New connections pass; what was open before is lost on the server's side, too."""
        with self._lock:
            self._pulled = False
            _end(self._far)

    def close(self) -> None:
        self.allow(ENDLESS)
        _end({self._listener})
        with self._lock:
            _end(self._near | self._far)

    def _serve(self) -> None:
        with self._listener, suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        """One connection, both ways, until both sides are closed."""
        with near, suppress(OSError), socket.create_connection(self._target) as far:
            with self._lock:
                if self._pulled:
                    return
                self._near.add(near)
                self._far.add(far)
            back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
            back.start()
            self._pump(near, far, self._wait_allowed)
            back.join()
            with self._lock:
                self._near.discard(near)
                self._far.discard(far)

    def _wait_allowed(self, amount: int) -> None:
        with self._news:
            self._news.wait_for(lambda: self._pulled or self._outward >= amount)
            self._outward -= amount

    def _pump(
        self, source: socket.socket, sink: socket.socket, before: Callable[[int], None] = lambda _: None
    ) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                before(len(data))
                if self._pulled:
                    continue  # lost; read on, or a browser in the middle of sending would not notice
                sink.sendall(data)
        if not self._pulled:
            _end({sink})


def _end(sockets: set[socket.socket]) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextmanager
def open_cable(link: str) -> Generator[Cable]:
    """A cable to the server of this link, gone afterwards with whatever passes through it."""
    cable = Cable(link)
    try:
        yield cable
    finally:
        cable.close()
