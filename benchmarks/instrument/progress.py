"""What goes on, for who waits: one line that changes on a terminal, lines elsewhere."""

import sys
import time


class Progress:
    """Tells on stderr; results go to stdout."""

    def __init__(self, name: str, number: int, count: int) -> None:
        self._head = f"[{number}/{count}] {name}"
        self._began = time.monotonic()

    def tell(self, words: str) -> None:
        """Say what begins now."""
        line = f"{self._head}: {words} ({time.monotonic() - self._began:.0f} s)"
        sys.stderr.write(f"\r\x1b[K{line}" if sys.stderr.isatty() else f"{line}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Leave the terminal clean for the result."""
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
