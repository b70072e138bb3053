"""How many files, sockets among them, this process may have open."""

import resource


def raise_open_files() -> int:
    """Make room for as many as the system lets us have, not only for those one begins with; how many."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
