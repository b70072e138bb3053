# %% [markdown]
# # A small study, from rows in Python to a table of answers
#
# A notebook in percent format: VS Code, Spyder and Jupyter (with Jupytext) run it cell by cell,
# `python study.py` runs all of it. A daemon must run: `crowdd serve --data crowdd-data` in another terminal.

# %%
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator

from crowdd.client import Task, connect

client = connect()
print("crowdd", client.status().version)

# %% [markdown]
# ## The task: rows from a generator, a page as text, no folder


# %%
def sentences() -> Iterator[dict[str, str]]:
    """One row for each unit of work; `_kind` begins with an underscore, so no worker sees it."""
    for mood in ("wonderful", "fine", "dull", "dreadful"):
        for what in ("The food", "The film"):
            yield {"text": f"{what} was {mood}.", "_kind": what.split()[1]}


PAGE = """<!doctype html><html lang="en"><title>Moods</title><script src="crowdd.js"></script>
<form><p>${text}</p>
  <label><input type="radio" name="mood" value="good" required> good</label>
  <label><input type="radio" name="mood" value="bad"> bad</label>
  <button>Send</button></form></html>"""

task = Task(
    config={"name": "moods", "blueprint": {"units_per_assignment": 2}},
    rows=sentences(),
    page={"index.html": PAGE},
)
run = client.launch(task)
opened = client.until_open(run.label)
assert opened is not None, "its routers are not up yet: run this cell again"
print(f"Run {run.label}: workers come to {opened.address}")

# %% [markdown]
# ## The workers: here simulated ones, in earnest people whom you send their links

# %%
links = [link.url for link in client.links(run.label, ["ann", "bob", "cem"])]
workers = subprocess.Popen([sys.executable, "-m", "crowdd.cli", "bots", "--think", "0.1", *links])

# %% [markdown]
# ## Watching: every change as it happens, until the run is over

# %%
seen: Counter[tuple[str, str]] = Counter()
for event in client.events(run.label):
    seen[event.kind, event.after] += 1
workers.wait()
print(f"{seen['agent', 'completed']} answers were given, the run is {client.show(run.label).state}")

# %% [markdown]
# ## The answers, as a table

# %%
answers: defaultdict[str, Counter[str]] = defaultdict(Counter)
for submission in client.submissions(run.label):
    answers[submission.inputs["text"]][submission.outputs["mood"]] += 1

print(f"{'SENTENCE':28} GOOD  BAD")
for text, moods in sorted(answers.items()):
    print(f"{text:28} {moods['good']:4} {moods['bad']:4}")
