"""The tasks that scenes run: an answer with files, one that is judged, a conversation with code, a pair."""

import io
import tarfile
from collections.abc import Mapping
from textwrap import dedent

import attrs

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Words</title>
<script src="crowdd.js"></script>
<form data-crowdd="task"><p>${text}</p>
<label>Kind <select name="kind"><option value="a">a</option><option value="b">b</option></select></label>
<button>Save</button></form></html>
"""
LIVE_PAGE = '<!doctype html><title>Talk</title><script src="crowdd.js"></script>\n'


@attrs.frozen
class ScenicTask:
    """One task folder, in memory."""

    name: str
    options: str
    code: str = ""
    page: str = PAGE

    def archive(self, rows: int, **settings: str) -> bytes:
        """The folder as the control socket takes it, with so many rows."""
        lines = "".join(f'{{"text": "word {number}"}}\n' for number in range(rows))
        files = {
            "task.toml": self._config(settings),
            "data.jsonl": lines,
            "page/index.html": self.page,
            **({"task.py": self.code} if self.code else {}),
        }
        return _packed(files)

    def _config(self, settings: Mapping[str, str]) -> str:
        head = "".join(f'{key} = "{value}"\n' for key, value in settings.items())
        return (
            f'name = "{self.name}"\nlabel = "{self.name}"\nshared_origin = true\n{head}{self.options}'
            '[architect]\ntype = "remote"\nrouters = ["crowd"]\n'
        )


STATIC = ScenicTask(
    "words",
    '[blueprint]\ntype = "static"\nunits_per_assignment = 2\n[limits]\nallowed_concurrent = 1\n',
)
TESTED = ScenicTask(
    "tested",
    '[blueprint]\ntype = "static"\nunits_per_assignment = 2\n'
    '[limits]\nallowed_concurrent = 1\n[onboarding]\nqualification = "introduced"\n'
    '[gold]\nqualification_base = "known"\nmax_units = 200\nmax_incorrect_golds = 1000000\n',
    dedent(
        """\
        import time

        def gold_for_worker(worker):
            return {"text": "gold", "n": time.time_ns()}

        def on_unit_submitted(agent):
            time.sleep(0.01)  # long enough for a kill to come between
            return agent.data["kind"] == "a"
        """
    ),
)
ECHO = ScenicTask(
    "echo",
    '[blueprint]\ntype = "live"\n[blueprint.drop_out]\ngrace_s = 120\n',
    dedent(
        """\
        async def run_unit(unit, agent):
            async for update in agent.updates():
                await agent.send({"echo": update["word"]})
        """
    ),
    LIVE_PAGE,
)
PAIRS = ScenicTask(
    "pairs",
    '[blueprint]\ntype = "group"\nsize_min = 2\nsize_max = 2\n[blueprint.drop_out]\ngrace_s = 120\n',
    dedent(
        """\
        async def run_assignment(assignment, group):
            async for agent, update in group.updates():
                await group.send({"from": agent.index, **update}, but=agent)
        """
    ),
    LIVE_PAGE,
)


def _packed(files: Mapping[str, str]) -> bytes:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w:gz", compresslevel=1) as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return into.getvalue()
