"""Where a process's log goes, seen from outside the process."""

import json
import subprocess
import sys

DYING = """
import logging, warnings
from crowdd.logs.output import write_log
from crowdd.logs.parts import read_levels
write_log("json", read_levels(["debug"]))
logging.getLogger("httpx").info("GET /?link=token")
logging.getLogger("crowdd.daemon.intake").debug("the last word", extra={"run": 3})
warnings.warn("old\\nways")
raise ValueError("bad\\nend")
"""


def test_warnings_and_the_error_that_ends_the_process_are_lines_and_libraries_are_quiet() -> None:
    ended = subprocess.run([sys.executable, "-c", DYING], stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 1
    said = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [fact["level"] for fact in said] == ["debug", "warning", "critical"]
    assert [fact["part"] for fact in said] == ["daemon.intake", "py.warnings", "crowdd"]
    assert said[0]["run"] == 3
    assert said[2]["traceback"].endswith("ValueError: bad\nend")
