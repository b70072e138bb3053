"""The onboarding of a run's new workers: from its page to the verdict, and on to the first real unit."""

from .cast import OnboardingCast
from .desk import AdmitAfter, OnboardingDesk
from .lives import OnboardingLives
from .run import RunOnboarding
from .verdicts import VerdictTools

__all__ = [
    "AdmitAfter",
    "OnboardingCast",
    "OnboardingDesk",
    "OnboardingLives",
    "RunOnboarding",
    "VerdictTools",
]
