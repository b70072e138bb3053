"""What a worker is paid for an answer that came too late to count, as their provider is told of it. Pure."""

import hashlib

import attrs

from ...storage.records import LateAnswer, Worker

UNSAID = "for an answer that came too late to count"
"""What the worker is told where staff said nothing."""


@attrs.frozen
class LatePayment:
    """A late answer that is to be paid, and whose it is."""

    worker: Worker
    late: LateAnswer

    @property
    def payment_id(self) -> str:
        """The same each time the provider is told, so that it pays once: also after a crash between its
        payment and our note of it, and for the same answer in a restored copy of the store.

        The wire id in it is a secret; its hash is none.
        """
        of = f"{self.late.wire_id}:{self.late.digest}"
        return f"late-{hashlib.sha256(of.encode()).hexdigest()[:32]}"

    @property
    def cents(self) -> int:
        """How much; more than nothing."""
        assert self.late.owed_cents is not None, "what is owed has an amount"
        return self.late.owed_cents

    @property
    def words(self) -> str:
        """What the worker is told with it."""
        return self.late.owed_note or UNSAID
