"""Classes of values that are made by the thousand, and that nobody changes: the type checkers see to that.

Were Python to see to it too, it would take three times as long to make one.
"""

from functools import partial
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from attrs import frozen as frozen
else:
    frozen = partial(attrs.define, unsafe_hash=True)
