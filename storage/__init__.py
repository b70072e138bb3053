"""What survives: frozen records, the `Storage` contract, and its bodies in memory and in SQLite."""

from .contract import Storage
from .opening import IN_MEMORY, open_storage
from .sqlite import accept, check_store, restore_store

__all__ = ["IN_MEMORY", "Storage", "accept", "check_store", "open_storage", "restore_store"]
