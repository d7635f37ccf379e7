"""Writes the pages of the site to a folder: those of docs/, and those that are made of what stands elsewhere.

A page for every rule of its docstring, and the repository's own ARCHITECTURE.md, CONTRIBUTING.md and CHANGELOG.md.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from backaudit import plugins, ruledoc
from backaudit.report.standards import PROJECT_URL, standards
from backaudit.rule import Rule
from backaudit.ruledoc import Example

ROOT = Path(__file__).resolve().parent.parent
COPIED = {"architecture.md": "ARCHITECTURE.md", "contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
# What these pages link to of each other stays in the site, all else is a file of the repository.
_BY_NAME = {name: page for page, name in COPIED.items()}
_LINK = re.compile(r"\]\(([\w./-]+)\)")
_RULE = re.compile(r"^\| `([\w-]+/[\w-]+)` \|", re.M)


def write(folder: Path) -> None:
    """Put all pages into ``folder``, in place of what is there."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder)
    for copy, name in COPIED.items():
        (folder / copy).write_text(_LINK.sub(_relinked, (ROOT / name).read_text("utf-8")), "utf-8")
    table = folder / "rules.md"
    table.write_text(_RULE.sub(r"| [`\1`](rules/\1.md) |", table.read_text("utf-8")), "utf-8")
    for rule in documented():
        page = folder / "rules" / f"{rule.id}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(rule_page(rule), "utf-8")


def documented() -> list[Rule]:
    """The rules that have a page: bandit documents its own checks."""
    ours = ("backaudit_rules", "backaudit")
    loaded = plugins.load(reraise=True).rules
    return [rule for rule in loaded if rule.module.partition(".")[0] in ours and rule.family != "bandit"]


def rule_page(rule: Rule) -> str:
    """Everything that a rule says of itself, as Markdown."""
    return "\n".join(_lines(rule)) + "\n"


def _lines(rule: Rule) -> Iterator[str]:
    doc = ruledoc.read(rule.doc)
    yield f"# {rule.id}"
    yield ""
    yield f"**{doc.title}**"
    yield ""
    yield _facts(rule)
    yield ""
    for paragraph in doc.why:
        yield paragraph
        yield ""
    if doc.mend:
        yield "## How to mend it"
        yield ""
        yield doc.mend[:1].upper() + doc.mend[1:]
        yield ""
    for title, examples in (("Reported", doc.bad), ("Sound", doc.good)):
        for example in examples:
            yield from _example(title, example)
    yield from _options(rule)
    yield from _links(rule, doc.links)


def _facts(rule: Rule) -> str:
    shown = {"core": "shown by default", "strict": "shown with `--strict`"}.get(rule.shown, "shown when named")
    links = [f"[{link.text}]({link.url})" for link in standards(rule)]
    return " · ".join([f"severity {rule.severity}", shown, *links])


def _example(title: str, example: Example) -> Iterator[str]:
    yield f"## {title}{f': {example.caption}' if example.caption else ''}"
    yield ""
    yield "````python"
    yield example.code
    yield "````"
    yield ""


def _options(rule: Rule) -> Iterator[str]:
    if not rule.options:
        return
    yield "## Options"
    yield ""
    for option in rule.options:
        yield f'- `options."{rule.id}".{option.name}` (default `{option.default!r}`): {option.help}'
    yield ""


def _links(rule: Rule, links: tuple[str, ...]) -> Iterator[str]:
    yield "## More"
    yield ""
    for link in links:
        yield f"- <{link}>"
    name = rule.id.rpartition("/")[2]
    yield f"- To accept one: `# backaudit: ignore[{name}] reason` ([more](../../accepting.md))"
    yield ""


def _relinked(found: re.Match[str]) -> str:
    target = found[1]
    if target.startswith("docs/"):
        return f"]({target.removeprefix('docs/')})"
    return f"]({_BY_NAME[target]})" if target in _BY_NAME else f"]({PROJECT_URL}/blob/main/{target})"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
