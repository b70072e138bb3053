"""What tasks are: the contract that task authors extend, and the blueprints `static` and `mock`."""

from .contract import Blueprint, BlueprintFault, Material, Row
from .pages import page_script
from .rows import RowFault, page_view, row_of

__all__ = [
    "Blueprint",
    "BlueprintFault",
    "Material",
    "Row",
    "RowFault",
    "page_script",
    "page_view",
    "row_of",
]
