"""How crowdctl ends, for programs. These numbers stay."""

import enum

from .errors import ClientError, DaemonUnreachable, NoSuchRun


class ExitCode(enum.IntEnum):
    """What the shell sees in `$?`."""

    OK = 0
    REFUSED = 1
    """The daemon said no, or it failed."""
    USAGE = 2
    """The command line makes no sense."""
    UNREACHABLE = 3
    """No daemon answers, or not to this user."""
    NO_SUCH_RUN = 4
    RUN_NOT_COMPLETED = 5
    """`wait`: a run ended, but as stopped or failed."""
    TIMEOUT = 6
    """`wait --timeout`: a run had not ended."""
    INTERRUPTED = 130


def exit_code_of(error: ClientError) -> ExitCode:
    """How crowdctl ends after this error."""
    match error:
        case DaemonUnreachable():
            return ExitCode.UNREACHABLE
        case NoSuchRun():
            return ExitCode.NO_SUCH_RUN
        case _:
            return ExitCode.REFUSED


HELP = """\b
Exit codes: 0 done · 1 refused or failed · 2 wrong usage · 3 no daemon answers ·
4 no such run · 5 wait: ended, not completed · 6 wait: time over · 130 interrupted"""
