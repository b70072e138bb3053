"""What `import crowdd` offers to authors of tasks."""

import subprocess
import sys

import pytest

import crowdd


@pytest.mark.parametrize("name", crowdd.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(crowdd, name).__name__ == name if name != "__version__" else crowdd.__version__


def test_a_name_that_is_none_is_refused_as_by_any_module() -> None:
    with pytest.raises(AttributeError, match="module 'crowdd' has no attribute 'LiveBluprint'"):
        getattr(crowdd, "LiveBluprint")  # noqa: B009  # what the checkers would not let an author write


def test_the_package_alone_brings_nothing_along() -> None:
    loaded = (
        "import crowdd, sys; print([m for m in sys.modules if m.startswith(('crowdd.', 'trio', 'attr'))])"
    )
    said = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
