"""What survives: frozen records, the `Storage` contract, and its bodies in memory and in SQLite."""

from .contract import Storage
from .opening import open_storage

__all__ = ["Storage", "open_storage"]
