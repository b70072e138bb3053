"""Both plug-ins keep what crowdd expects of every plug-in."""

from pathlib import Path

from crowdd_panel.pairs import PairsBlueprint
from crowdd_panel.panel import PanelProvider

from crowdd.testing.plug_ins import a_material, certify_blueprint, certify_provider

TASK = Path(__file__).parent.parent / "task"


def test_pairs_keeps_the_promises_of_a_blueprint(tmp_path: Path) -> None:
    certify_blueprint(PairsBlueprint, a_material(tmp_path, {"items.txt": "a\nb\nc\n"}), question="a < b?")


def test_panel_keeps_the_promises_of_a_provider() -> None:
    certify_provider(PanelProvider, folder=TASK, names=("ann", "bob"))


def test_a_short_code_is_told_before_the_launch(tmp_path: Path) -> None:
    (tmp_path / "panel.csv").write_text("name,code\nann,123\n")
    faults = PanelProvider.check(PanelProvider.Options(), tmp_path)
    assert faults == ["panel.csv: line 2: the code must have at least 8 characters"]
