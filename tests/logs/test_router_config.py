"""A router.toml says how its router logs, and is refused when it says nonsense."""

from pathlib import Path

import pytest

from crowdd.router.config import RouterRefused
from crowdd.router.config_file import load_config


def router_toml(folder: Path, more: str) -> Path:
    path = folder / "router.toml"
    path.write_text(f'folder = "kept"\nsecret_file = "secret"\n{more}\n')
    return path


def test_a_router_is_told_its_levels_and_format(tmp_path: Path) -> None:
    config = load_config(
        router_toml(tmp_path, 'log_format = "json"\nlog_level = ["warning", "router.desk=debug"]')
    )
    assert (config.log_format, config.log_level) == ("json", ("warning", "router.desk=debug"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('log_format = "xml"', "log_format: must be one of text, json"),
        ('log_level = ["router.dsk=info"]', "There is no part 'router.dsk'. Did you mean 'router.desk'?"),
        ('log_level = ["loud"]', "log_level: There is no level 'loud'. Known: debug, info, warning, error."),
    ],
)
def test_nonsense_is_refused_with_the_nearest_name(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(RouterRefused) as refused:
        load_config(router_toml(tmp_path, line))
    assert str(refused.value).endswith(words)
