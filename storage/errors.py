"""What goes wrong with storage, in the caller's terms; `contract` says of every method which and when."""


class StorageError(Exception):
    """What every error of storage is."""


class NotFound(StorageError):
    """There is no such record."""


class Duplicate(StorageError):
    """A record with this unique name or key is there already."""


class InvalidRecord(StorageError):
    """A value that no record of this kind may have, or a reference to nothing."""


class StaleWrite(StorageError):
    """What the writer took for the present state has changed meanwhile: read again, decide again."""


class LeaseLost(StorageError):
    """Another daemon has taken this store: write nothing more, end the process."""


class StorageFailed(StorageError):
    """The disk or the database failed; whether the last write happened is not known."""


class StorageFull(StorageError):
    """There is no space left. Nothing was written; the same write succeeds when there is space again."""


class StorageRefused(StorageError):
    """The store cannot be opened: damaged, of another program, too new, too old, held. Says the remedy."""
