"""Where the daemon's control socket is."""

import os
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "CROWDD_SOCKET"
HERE = Path("crowdd-data", "control")
SYSTEM = Path("/run/crowdd/control")


def default_socket(environment: Mapping[str, str]) -> Path:
    """$CROWDD_SOCKET; else the first that exists of ./crowdd-data, the user's and the system's daemon."""
    if named := environment.get(VARIABLE):
        return Path(named)
    places = [HERE]
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        places.append(Path(runtime, "crowdd", "control"))
    places.append(SYSTEM)
    return next((place for place in places if os.path.exists(place)), HERE)
