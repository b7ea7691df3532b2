"""What the documents say of files and tests is so."""

import ast
import dataclasses
import itertools
import re
import tomllib
from pathlib import Path

import pytest

from opensip.agent.check import check
from opensip.agent.definition import (
    Account,
    Action,
    Agent,
    Entry,
    Intent,
    Slot,
    State,
    ToolTable,
)
from opensip.agent.replies import REPLIES
from opensip.settings.table import Reading, read

ROOT = Path(__file__).parents[1]
_ROW = re.compile(r"\|.*\|")
_TEST = re.compile(r"`([\w/]+\.py)(?:::(\w+))?`")


def named(document):
    """List each file and test that stands in a table: (path below opensip or tests, name)."""
    rows = _ROW.findall((ROOT / "docs" / document).read_text(encoding="utf-8"))
    return [found for row in rows for found in _TEST.findall(row)]


def is_there(path, name):
    if not name:
        return (ROOT / "opensip" / path).is_file() or (ROOT / "tests" / path).is_file()
    file = ROOT / "tests" / path
    return file.is_file() and bool(
        re.search(rf"^\s*(?:def|async def|class) {name}\b", file.read_text(), re.MULTILINE)
    )


@pytest.mark.parametrize(("document", "least"), [("conformance.md", 140), ("reliability.md", 45)])
def test_files_and_tests_of_a_document_are_there(document, least):
    found = named(document)
    assert len(found) >= least
    assert [f"{path}::{name}" for path, name in found if not is_there(path, name)] == []


def test_every_row_of_conformance_is_complete():
    rows = (ROOT / "docs/conformance.md").read_text(encoding="utf-8").splitlines()
    rows = [row.split(" | ") for row in rows if row.startswith("| ") and "RFC" not in row]
    assert all(len(row) == 6 for row in rows)
    assert {row[3] for row in rows} == {"yes", "partly", "no"}


def test_every_row_of_reliability_says_why_it_has_no_test():
    rows = (ROOT / "docs/reliability.md").read_text(encoding="utf-8").splitlines()
    rows = [row.strip("| ").split(" | ") for row in rows if re.match(r"\| \d+ \|", row)]
    assert [int(row[0]) for row in rows] == list(range(1, 41))
    assert all("`" in row[-1] or row[-1].startswith("does not apply: ") for row in rows)


def scenarios():
    """Read each scenario from its test: its name in words, the section, what is asserted."""
    for file in sorted((ROOT / "tests/interop/scenarios").glob("test_*.py")):
        for test in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
                words = test.name.removeprefix("test_").replace("_", " ")
                section, _, what = " ".join((ast.get_docstring(test) or "").split()).partition(": ")
                yield words, section, what


def test_every_scenario_stands_in_the_table_with_its_section():
    table = (ROOT / "docs/scenarios.md").read_text(encoding="utf-8")
    found = list(scenarios())
    assert len(_ROW.findall(table)) == len(found) + 2 * table.count("\n## ")
    for words, section, what in found:
        assert re.match(r"\d{4} ", section), f"{words}: its docstring names no RFC and section"
        assert f"| {words} | {section} | {what} |" in table


def test_the_library_example_of_the_readme_runs():
    [example] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    names = {}
    exec(compile(example, "README.md", "exec"), names)  # noqa: S102 - our own text
    assert names["answer"].startswith(b"SIP/2.0 200 OK\r\n")


@pytest.mark.parametrize("begins", ['    greeting = "Hello', '    kind = "model"'])
def test_the_smallest_agents_of_the_documents_have_no_mistake(begins):
    text = (ROOT / "docs/agents.md").read_text()
    start = text.index(begins)
    lines = itertools.takewhile(
        lambda line: not line or line.startswith("    "), text[start:].splitlines()
    )
    reading = Reading(ROOT / "docs/agents.md", {"OPENAI_API_KEY": "sk-1"})
    agent = read(Agent, {"name": "front", **tomllib.loads("\n".join(lines))}, reading)
    assert reading.mistakes == []
    assert check(agent) == []


@pytest.mark.parametrize("schema", [State, Intent, Slot, Action])
def test_every_key_of_a_script_is_documented(schema):
    text = (ROOT / "docs/agents.md").read_text()
    keys = [field.name for field in dataclasses.fields(schema)]
    assert [key for key in keys if f"`{key}`" not in text and f"`{key} = " not in text] == []


def test_every_standing_reply_is_documented_as_it_is():
    text = (ROOT / "docs/agents.md").read_text()
    assert [name for name, said in REPLIES.items() if f"| `{name}` | {said}" not in text] == []


@pytest.mark.parametrize("schema", [Agent, Account, ToolTable, Entry])
def test_every_key_of_an_agents_file_is_explained(schema):
    text = (ROOT / "docs/agents.md").read_text(encoding="utf-8")
    tables = {"name", "tools", "providers", "directory", "states", "intents", "slots", "data"}
    tables |= {"keys", "replies"}  # told as tables; the name is the file's
    missing = [item.name for item in dataclasses.fields(schema) if f"`{item.name}`" not in text]
    assert set(missing) <= tables


def test_no_module_is_longer_than_the_style_allows():
    told = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    most = int(re.search(r"A module has at\nmost (\d+) lines", told)[1])
    files = [
        path
        for room in ("opensip", "scripts", "tests")
        for form in ("*.py", "*.c", "*.h")
        for path in (ROOT / room).rglob(form)
    ]
    lines = {str(path.relative_to(ROOT)): path.read_bytes().count(b"\n") for path in files}
    assert len(lines) > 500
    assert {name: count for name, count in lines.items() if count > most} == {}
