"""Completion with Tab, as the README tells to switch it on; needs no daemon."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CROWDCTL = Path(sys.executable).parent / "crowdctl"


def complete(**variables: str) -> str:
    environment = {**os.environ, **variables}
    return subprocess.run([CROWDCTL], env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_each_shell_gets_a_script_of_its_own(shell: str) -> None:
    assert f"_CROWDCTL_COMPLETE={shell}_complete" in complete(_CROWDCTL_COMPLETE=f"{shell}_source")


def test_commands_are_completed() -> None:
    said = complete(_CROWDCTL_COMPLETE="bash_complete", COMP_WORDS="crowdctl work", COMP_CWORD="1")
    assert sorted(said.split()) == ["plain,worker", "plain,workers"]
