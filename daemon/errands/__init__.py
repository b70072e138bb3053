"""What crowd providers are still to be told: saved with the decision, told after it, retried until told.

What knows runs stays in `errands.providers`: hooks and reviews come before it.
"""

from .errand import Call, Errand, block_errand, late_errand, review_errand
from .runner import Errands

__all__ = ["Call", "Errand", "Errands", "block_errand", "late_errand", "review_errand"]
