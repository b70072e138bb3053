"""What is told of an author's function without calling it."""

import functools
from typing import Any

import pytest

from crowdd.daemon.function_shapes import has_yield, is_async, misspelt, near_name, takes


async def waits(unit: Any, agent: Any) -> None: ...


async def gives(unit: Any) -> Any:
    yield unit


def gives_now(unit: Any) -> Any:
    yield unit


class Callable:
    async def __call__(self, unit: Any) -> None: ...


@pytest.mark.parametrize("function", [waits, functools.partial(waits, 1), Callable()])
def test_an_async_function_may_be_a_partial_one_or_an_object(function: Any) -> None:
    assert is_async(function)
    assert takes(function, 2) is (function is waits)
    assert not has_yield(function)


@pytest.mark.parametrize("function", [gives, len, Callable])
def test_a_generator_a_builtin_and_a_class_are_not_async(function: Any) -> None:
    assert not is_async(function)


def test_what_has_a_yield_is_a_generator_async_or_not() -> None:
    assert has_yield(gives)
    assert has_yield(gives_now)


def test_functions_without_a_signature_are_trusted() -> None:
    assert takes(dict.fromkeys, 1)
    assert takes(int, 7)


def test_a_name_is_misspelt_when_it_is_nearly_one_that_is_not_there() -> None:
    known = ["run_unit", "functions"]
    assert misspelt(["run_units", "helper"], known) == [("run_units", "run_unit")]
    assert misspelt(["run_units", "run_unit"], known) == []
    assert near_name("zzz", known) is None
