"""What staff, or the task's own code, may say of finished work. Holds no rule about it."""

import enum

NOTE_CHARACTERS_MAX = 2000  # what the vendors' own interfaces carry to a worker


class Verdict(enum.Enum):
    """What staff, or the task's own code, say of an agent's work."""

    APPROVE = "approve"
    SOFT_REJECT = "soft_reject"
    """It is paid, and marked as below the bar."""
    REJECT = "reject"
    """It is not paid; a reason is due."""
