"""The network between one browser and a server: a relay on a port of its own, whose cable can be pulled."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

CHUNK = 65_536
HOST = "127.0.0.1"


class Cable:
    """Carries bytes until it is pulled. Browsers notice at once, as they do; servers do not."""

    def __init__(self, link: str) -> None:
        """To the server of this link."""
        address = urlsplit(link)
        self._target = (str(address.hostname), int(address.port or 80))
        self._listener = socket.create_server((HOST, 0))
        self.link = address._replace(netloc=f"{HOST}:{self._listener.getsockname()[1]}").geturl()
        """The same link, by way of the cable."""
        self._lock = threading.Lock()
        self._pulled = False
        self._near: set[socket.socket] = set()
        self._far: set[socket.socket] = set()
        threading.Thread(target=self._serve, daemon=True).start()

    def pull(self) -> None:
        """Nothing passes, and nothing new is taken; the server's side stays open and silent."""
        with self._lock:
            self._pulled = True
            _end(self._near)

    def plug_in(self) -> None:
        """New connections pass; what was open before is lost on the server's side, too."""
        with self._lock:
            self._pulled = False
            _end(self._far)

    def close(self) -> None:
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
            self._pump(near, far)
            back.join()
            with self._lock:
                self._near.discard(near)
                self._far.discard(far)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if self._pulled:
                    return
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
