"""How the documentation is built (`make docs`). Pages are plain Markdown, which a code host shows as it is.

Pages are read from the root of the repository: README and ARCHITECTURE are among them, and every link between
pages, headings and files is checked. What is broken ends the build.
"""

import re
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parent.parent
CONTENTS = {
    "Use": [
        "README",
        "docs/getting-started",
        "docs/tasks",
        "docs/live",
        "docs/production",
        "docs/metrics",
        "docs/python",
        "docs/plug-ins",
    ],
    "Look up": ["docs/reference/crowdd", "docs/reference/crowdctl", "docs/reference/options"],
    "Understand": ["docs/how-it-works", "ARCHITECTURE", "CONTRIBUTING", "CHANGELOG"],
    "Examples": [
        "examples/digits/README",
        "examples/digits-qualified/README",
        "examples/describe-and-guess/README",
        "examples/model-chat/README",
        "examples/plug-in/README",
    ],
}
_LISTED = {"docs/README", *(page for pages in CONTENTS.values() for page in pages)}


def _found(pattern: str) -> list[str]:
    """Pages that are not named above, in the order of their names."""
    return sorted({f"{path.relative_to(ROOT).with_suffix('')}" for path in ROOT.glob(pattern)} - _LISTED)


CONTENTS["Understand"] += _found("docs/*.md")
CONTENTS["Measured"] = _found("benchmarks/**/*.md")
_LINK = re.compile(r"\[([^\]\n]+)\]\(([^)#:\s]+)\)")


def _version() -> str:
    found = re.search(r'__version__ = "(.*)"', (ROOT / "src/crowdd/__init__.py").read_text())
    assert found is not None
    return found[1]


project = "crowdd"
project_copyright = "the crowdd authors, MIT licence"
version = release = _version()
extensions = ["myst_parser"]
root_doc = "docs/README"
include_patterns = [f"{page}.md" for pages in CONTENTS.values() for page in [*pages, root_doc]]
exclude_patterns = ["src", "build", "dist", ".*"]
source_suffix = {".md": "markdown"}
nitpicky = True
myst_heading_anchors = 4
html_theme = "furo"
html_title = f"crowdd {version}"
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False


def prepare(_app: Sphinx, page: str, source: list[str]) -> None:
    """Do to a page what would be clutter in its text."""
    source[0] = _LINK.sub(lambda link: _shown(ROOT / page, link), source[0])
    if page == root_doc:
        source[0] += "".join(_tree(caption, pages) for caption, pages in CONTENTS.items())


def _shown(page: Path, link: re.Match[str]) -> str:
    """A link to a folder leads to its page, or is words only: code hosts list folders, this site does not."""
    folder = (page.parent / link[2]).resolve()
    if not folder.is_dir():
        return link[0]
    readme = folder.relative_to(ROOT) / "README"
    return f"[{link[1]}](/{readme}.md)" if f"{readme}.md" in include_patterns else link[1]


def _tree(caption: str, pages: list[str]) -> str:
    listed = "\n".join(f"/{page}" for page in pages)
    return f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{listed}\n```\n"


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", prepare)
