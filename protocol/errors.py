"""What can go wrong on a wire, in the caller's terms. No message ever repeats a value: it may be a secret."""

from .names import Reason


class RemoteProtocolError(Exception):
    """The other side sent something that cannot be understood: where in it, and why."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}" if path else why)
        self.path = path
        self.why = why


class BadRequest(RemoteProtocolError):
    """A browser's body or packet is not what its door takes; `reason` says which answer fits."""

    def __init__(self, path: str, why: str, reason: Reason = Reason.BAD_REQUEST) -> None:
        super().__init__(path, why)
        self.reason = reason


class Unsendable(ValueError):
    """A value of ours that cannot cross the wire: too large, too deep, or no JSON."""


class LinkFull(Exception):
    """A bounded table of the link is full; nothing was taken. Answer "try again", or close the link."""


class LinkRefusal(Exception):
    """The handshake ended without a link. `words` are for the log of this side; both sides have them.

    `frames` still go to the other side before the connection is closed (none if it refused us).
    `retry`: it may go better in a while without anybody's help.
    """

    def __init__(self, words: str, frames: list[bytes], retry: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.frames = frames
        self.retry = retry
