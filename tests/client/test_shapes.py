"""The names of the client are imported when they are asked for; none is missing."""

import dataclasses
import importlib
import pkgutil

import pytest

import crowdd.client
from crowdd.client import shapes

HOMES = {
    name: module
    for found in pkgutil.iter_modules(shapes.__path__, f"{shapes.__name__}.")
    for module in [importlib.import_module(found.name)]
    for name, each in vars(module).items()
    if dataclasses.is_dataclass(each) and getattr(each, "__module__", "") == module.__name__
}


def test_every_class_is_among_the_names() -> None:
    assert sorted(HOMES) == sorted(shapes.__all__)


@pytest.mark.parametrize("name", shapes.__all__)
def test_a_name_gives_its_class(name: str) -> None:
    assert getattr(shapes, name) is vars(HOMES[name])[name]


@pytest.mark.parametrize("name", crowdd.client.__all__)
def test_every_public_name_of_the_client_is_there(name: str) -> None:
    assert getattr(crowdd.client, name).__name__ == name
    assert name in dir(crowdd.client)


@pytest.mark.parametrize("module", [shapes, crowdd.client])
def test_a_name_that_is_none_is_refused_as_by_any_module(module: object) -> None:
    with pytest.raises(AttributeError, match=r"module 'crowdd.client.*' has no attribute 'RunInfos'"):
        getattr(module, "RunInfos")  # noqa: B009  # what the checkers would not let anybody write
