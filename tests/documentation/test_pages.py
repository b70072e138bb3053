"""Every command that the documentation shows is run, and answers what the page says that it answers."""

import re
import subprocess
from pathlib import Path

import pytest

from .blocks import SHELL, Block, Mark, blocks
from .terminal import ROOT, contains, open_terminal, says

pytestmark = pytest.mark.system


def tracked_pages() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names = sorted(name for name in listing.split("\0") if name)
    return [ROOT / name for name in names if not name.startswith(("src/", "docs/reference/"))]


PAGES = [page for page in tracked_pages() if any(True for _ in blocks(page))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_works_as_shown(page: Path, tmp_path: Path) -> None:
    with open_terminal(tmp_path) as terminal:
        for block in blocks(page):
            try:
                terminal.do(block)
            except (AssertionError, subprocess.TimeoutExpired) as exc:
                raise AssertionError(f"{page.relative_to(ROOT)}:{block.line}\n{exc}") from None


def test_what_is_not_run_says_why() -> None:
    left_out = [(page, block) for page in PAGES for block in blocks(page) if block.mark.kind == "not run"]
    for page, block in left_out:
        print(f"{page.relative_to(ROOT)}:{block.line}: not run: {block.mark.words}")
    assert [block for _, block in left_out if len(block.mark.words.split()) < 3] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_reader_is_told_how_each_file_is_called(page: Path) -> None:
    """The comment that says it to the tests is not seen by readers."""
    lines = page.read_text().splitlines()
    for block in blocks(page):
        if block.mark.kind == "file":
            seen = [line for line in lines[: block.line - 1] if not line.startswith("<!--")][-12:]
            name = Path(block.mark.words).name
            assert name in "".join(seen) + block.text.split("\n")[0], (
                f"line {block.line}: say {name} before it"
            )


@pytest.mark.parametrize("page", tracked_pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_no_command_hides_in_a_block_that_is_not_run(page: Path) -> None:
    """Indented blocks, and fences in other languages that shells read."""
    text = re.sub(r"^(`{3,})(?:sh|console)\n[\s\S]*?^\1$", "", page.read_text(), flags=re.MULTILINE)
    assert re.findall(r"^```(?:bash|shell|text)?\n(?:\$ )?(?:crowd\w+|make) .*", text, re.MULTILINE) == []
    assert re.findall(r"\n\n {4}(?:\$ )?(?:crowd\w+|make) .*", text) == []


# --- that the checks check


def a_page(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text)
    return page


def test_blocks_are_found_with_what_is_said_about_them(tmp_path: Path) -> None:
    page = a_page(
        tmp_path,
        "# x\n<!-- file: a.txt -->\n```\nhello\n```\n```sh\ncat a.txt\n```\n```python\n1\n```\n"
        "<!-- run: true -->\n\n<!-- fails -->\n\n```console\n$ cat \\\n> b\ncat: b: ...\n```\n",
    )
    assert list(blocks(page)) == [
        Block(3, "", "hello\n", Mark("file", "a.txt")),
        Block(6, "sh", "cat a.txt\n", Mark()),
        Block(12, "", "true\n", Mark("run", "true")),
        Block(16, "console", "$ cat \\\n> b\ncat: b: ...\n", Mark("fails")),
    ]
    assert list(blocks(page))[-1].commands() == [("cat \\\nb\n", "cat: b: ...\n")]
    assert SHELL == ("sh", "console")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("```console\n$ echo one\ntwo\n```\n", "said:\none"),
        ("```sh\nfalse\n```\n", "exit status 1"),
        ("<!-- fails -->\n```sh\ntrue\n```\n", "exit status 0"),
        ("<!-- goes on -->\n```console\n$ echo other\nready\n```\n", "said:\nother"),
        ("<!-- fails -->\nNo block.\n", "stands before no block"),
    ],
)
def test_a_page_that_is_wrong_is_found_out(tmp_path: Path, text: str, why: str) -> None:
    page = a_page(tmp_path, text)
    with pytest.raises(AssertionError, match=re.escape(why)):
        tried(page, tmp_path)


def tried(page: Path, folder: Path) -> None:
    with open_terminal(folder) as terminal:
        for block in blocks(page):
            terminal.do(block)


def test_folders_and_variables_are_kept_from_one_block_to_the_next(tmp_path: Path) -> None:
    page = a_page(
        tmp_path,
        "```sh\nmkdir a && cd a\nexport WORD=hello\n```\n<!-- file: b -->\n```\nx\n```\n"
        "```console\n$ echo $WORD; cat b\nhello\nx\n```\n",
    )
    tried(page, tmp_path)


def test_what_changes_from_day_to_day_is_no_difference() -> None:
    assert says("at 2026-01-02 03:04:05  127.0.0.1:4000  12.5 kB", "at 2030-12-31 00:00:00 127.0.0.1:1 9 B")
    assert says("a\nb\nc", "a\n...\nc")
    assert not says("a\nb\nc\nd", "a\n...\nc")
    assert contains("a\nb\nc", "a\nc")
    assert not contains("a\nb", "b\na")
