"""The JSON schemas say what the program takes and writes: neither less nor more."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from backaudit import plugins
from backaudit.config import SETTINGS, load
from backaudit.config.schema import schema as config_schema
from backaudit.facts.plans import Plan, PlanNode, Proof
from backaudit.report.json import render
from backaudit.report.json import schema as report_schema
from backaudit.rule import Option
from backaudit.rulenames import RuleNames
from backaudit.toml import parse_toml
from backaudit.usage import UsageError
from tests.report.samples import UNINDEXED, hostile, make_issue, make_report, make_rule, ordinary, place

ROOT = Path(__file__).resolve().parents[2]
CONFIG_SCHEMA = config_schema(RuleNames(plugins.load(reraise=True).rules))
CONFIG = Draft7Validator(CONFIG_SCHEMA)
SCAN = Plan(
    root=PlanNode(kind="Limit", children=(PlanNode(kind="Seq Scan", table="t", rows=1),)),
    cost=9.5,
    pages=9,
    milliseconds=1,
)
PROOF = Proof(sql="SELECT 1", index="CREATE INDEX …", rows=1_000, server="PostgreSQL 18", before=SCAN, after=SCAN)

WRONG = (
    "strict = 1",
    'fail-on = "grave"',
    "select = 'auth'",
    'select = [""]',
    "baseline = ''",
    "exclude = [1]",
    'colour = "red"',
    '[severities]\nauth = "worst"',
    '[sinks]\nsqll = ["a.b"]',
    "[limits]\npython = 0",
    "[limits]\npython = 1.5",
    '[per-path-ignores]\n"a/**" = "auth"',
    '[options]\n"acme/naive-time" = 3',
)
RIGHT = (
    "",
    'strict = true\nfail-on = "never"',
    'select = ["auth", "acme/naive-time"]',
    '[sanitizers]\nsql = ["app.db.quote"]',
    "[limits]\npython = 1",
    '[options."acme/naive-time"]\nlimit = 3\nnames = ["a"]',
)


def closed(schema: Any) -> Any:
    """The schema without room for fields that it does not name."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    own = {key: closed(value) for key, value in schema.items()}
    return {**own, "additionalProperties": False} if own.get("type") == "object" and "properties" in own else own


def is_taken(text: str, folder: Path) -> bool:
    file = folder / "backaudit.toml"
    file.write_text(text, "utf-8")
    try:
        load(file)
    except UsageError:
        return False
    return True


@pytest.mark.parametrize(("text", "right"), [*((text, False) for text in WRONG), *((text, True) for text in RIGHT)])
def test_the_schema_of_the_configuration_takes_what_the_program_takes(text: str, right: bool, tmp_path: Path) -> None:
    assert (is_taken(text, tmp_path), CONFIG.is_valid(parse_toml(text))) == (right, right)


def test_the_schema_knows_every_setting_with_a_description() -> None:
    properties = CONFIG_SCHEMA["properties"]
    assert set(properties) == set(SETTINGS)
    assert all(one["description"].endswith(".") for one in properties.values())


def test_the_options_of_rules_are_checked() -> None:
    options = (Option("limit", 5, "…"), Option("names", ("a",), "…"), Option("deep", False, "…"))
    own = Draft7Validator(config_schema(RuleNames([make_rule("acme/naive-time", options=options)])))
    given = {"limit": 3, "names": ["b"], "deep": True}
    assert own.is_valid({"options": {"acme/naive-time": given, "other/rule": {"x": 1}}})
    for wrong in ({"limit": "3"}, {"names": "b"}, {"deep": 1}, {"lmit": 3}):
        assert not own.is_valid({"options": {"acme/naive-time": wrong}})


def test_the_configurations_of_the_documentation_are_valid() -> None:
    texts = [
        block
        for page in (*(ROOT / "docs").glob("*.md"), ROOT / "README.md")
        for block in re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.S)
    ]
    starter = (ROOT / "backaudit" / "starters" / "backaudit.toml").read_text("utf-8")
    texts.append(re.sub(r"(?m)^# (?=[\w-]+ = )", "", starter))
    assert len(texts) > 2
    for text in texts:
        table = parse_toml(text)
        own = table.get("tool", {}).get("backaudit", table)
        own.pop("policy", None)  # what an organisation's own file says beside a configuration
        assert [error.message for error in CONFIG.iter_errors(own)] == [], text


def test_reports_are_what_their_schema_says() -> None:
    strict = Draft202012Validator(closed(report_schema()))
    proven = make_report(make_issue(UNINDEXED, place("a.py", 1), proof=PROOF))
    for report in (ordinary(), ordinary(since="main"), hostile(), make_report(), proven):
        data = json.loads(render(report).encode("utf-8"))
        assert [error.message for error in strict.iter_errors(data)] == []
    del data["findings"][0]["message"]
    assert not strict.is_valid(data)


def test_the_schemas_are_sound_themselves() -> None:
    Draft202012Validator.check_schema(report_schema())
    Draft7Validator.check_schema(CONFIG_SCHEMA)
