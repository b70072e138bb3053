"""What crowd providers are still to be told: saved with the decision, told after it, retried until told."""

from .errand import Call, Errand, block_errand, review_errand
from .providers import RunProviders
from .runner import Errands

__all__ = ["Call", "Errand", "Errands", "RunProviders", "block_errand", "review_errand"]
