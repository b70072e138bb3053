"""For authors of blueprints and crowd providers: fakes to try them with, and the promises they must keep."""

from .bench import ProviderBench, a_material, open_bench
from .blueprint import BLUEPRINT_PROMISES, certify_blueprint
from .promise import PromiseBroken
from .provider import PROVIDER_PROMISES, certify_provider

__all__ = [
    "BLUEPRINT_PROMISES",
    "PROVIDER_PROMISES",
    "PromiseBroken",
    "ProviderBench",
    "a_material",
    "certify_blueprint",
    "certify_provider",
    "open_bench",
]
