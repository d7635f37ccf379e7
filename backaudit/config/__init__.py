"""Configuration: where the project's root is, what it sets, and where each setting comes from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from backaudit.config.values import (
    RULE_NAME,
    Flag,
    OfOption,
    OneOf,
    OptionValue,
    Setting,
    Size,
    Table,
    Text,
    Texts,
    WrongValue,
)
from backaudit.config.values import read as read_settings
from backaudit.regular import Unfit, read_named, read_regular
from backaudit.rule import SEVERITIES, Rule, Severity
from backaudit.rulenames import BUILT_IN_FAMILIES, RuleNames, suggestion
from backaudit.source import Kind, Limits
from backaudit.toml import TomlError, parse_toml
from backaudit.usage import UsageError

FILE_NAME = "backaudit.toml"
PYPROJECT = "pyproject.toml"
DEFAULT_ORIGIN = "default"
COMMAND_LINE = "command line"
NEVER: Literal["never"] = "never"

FailOn = Literal["critical", "high", "medium", "low", "never"]
Names = tuple[str, ...]

SINK_KINDS = (
    "sql",
    "command",
    "code",
    "path",
    "url",
    "html",
    "template",
    "redirect",
    "deserialize",
    "xml",
    "nosql",
    "ldap",
    "xpath",
    "log",
    "header",
    "session",
    "response",
    "store",
)


# Every key that a configuration may have; the fields of :class:`Config` hold their values.
SETTINGS: Mapping[str, Setting] = {
    "select": Setting(Texts(RULE_NAME), "Run only these rules or families."),
    "ignore": Setting(Texts(RULE_NAME), "Do not run these rules or families."),
    "per-path-ignores": Setting(Table(Texts(RULE_NAME)), "Rules or families that do not count in paths (globs)."),
    "severities": Setting(Table(OneOf(SEVERITIES), by=RULE_NAME), "What a rule or family is to count for."),
    "exclude": Setting(Texts(), "Files to leave out, as .gitignore would, relative to this file."),
    "strict": Setting(Flag(), "Show also what is only worth a look."),
    "per-place": Setting(Flag(), "Tell each place as a finding, where one cause has several."),
    "fail-on": Setting(OneOf((*SEVERITIES, NEVER)), "Exit with 1 only for findings of this severity or above."),
    "fail-on-problem": Setting(Flag(), "Exit with 1 if a file could not be analysed."),
    "fail-on-stale": Setting(Flag(), "Exit with 1 if the baseline lists what is gone."),
    "fail-on-nothing": Setting(Flag(), "Exit with 4 if no Python back end was found."),
    "baseline": Setting(Text(), "The file that lists the accepted findings, relative to the root."),
    "options": Setting(Table(Table(OfOption()), by=RULE_NAME), "The options of rules."),
    "sources": Setting(Texts(), "Functions of the project that return what a client sent."),
    "sinks": Setting(Table(Texts(), SINK_KINDS), "Functions to which what a client sent must not come, by kind."),
    "sanitizers": Setting(Table(Texts(), SINK_KINDS), "Functions whose result is safe, by kind of sink."),
    "hashers": Setting(Texts(), "Functions of the project that hash passwords well."),
    "validators": Setting(Texts(), "Functions after which what they were given is checked."),
    "guards": Setting(Table(Texts(), SINK_KINDS), "Functions that, asked in a condition, make their argument safe."),
    "propagators": Setting(Texts(), "Functions that return what they are given."),
    "auth-guards": Setting(Texts(), "Decorators and functions that let only known users pass."),
    "limits": Setting(Table(Size(), get_args(Kind)), "The largest file that is read, in bytes, by kind."),
}


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that may be set, defaults filled in. Names of rules are as the user wrote them.

    ``options``: rule id -> option -> value. ``sinks``, ``sanitizers``, ``guards``: kind (of ``SINK_KINDS``) -> dotted
    names. ``origins``: setting -> where it was set, for those that were.
    """

    select: Names = ()
    ignore: Names = ()
    per_path_ignores: Mapping[str, Names] = {}
    severities: Mapping[str, Severity] = {}
    exclude: Names = ()
    strict: bool = False
    per_place: bool = False
    fail_on: FailOn = "low"
    fail_on_problem: bool = False
    fail_on_stale: bool = False
    fail_on_nothing: bool = False
    baseline: str = ""
    options: Mapping[str, Mapping[str, OptionValue]] = {}
    sources: Names = ()
    sinks: Mapping[str, Names] = {}
    sanitizers: Mapping[str, Names] = {}
    hashers: Names = ()
    validators: Names = ()
    guards: Mapping[str, Names] = {}
    propagators: Names = ()
    auth_guards: Names = ()
    limits: Mapping[str, int] = {}
    origins: Mapping[str, str] = {}

    def source_limits(self) -> Limits:
        """The size limits, the configured ones laid over the defaults."""
        return Limits({**Limits().by_kind, **self.limits})

    def option(self, rule: Rule, name: str) -> OptionValue:
        """The value of a rule's declared option."""
        default = {option.name: option.default for option in rule.options}[name]
        return self.options.get(rule.id, {}).get(name, default)


class Root(msgspec.Struct, frozen=True):
    """The project's folder (absolute) and the file that configures it, if any; ``notes`` say what was passed over."""

    folder: Path
    file: Path | None = None
    notes: tuple[str, ...] = ()


def find_root(paths: Sequence[Path]) -> Root:
    """The nearest folder, from that of ``paths`` upwards, with a configuration or ``.git``; else that folder itself."""
    folder = _common_folder(paths)
    passed: tuple[str, ...] = ()
    for candidate in (folder, *folder.parents):
        file, notes = _configuration_in(candidate)
        passed += notes
        if file is not None or (candidate / ".git").is_dir() or (candidate / ".git").is_file():
            return Root(candidate, file, passed)
    return Root(folder, notes=passed)


def load(
    file: Path | None,
    command_line: Mapping[str, Any] | None = None,
    *,
    root: Path | None = None,
    within: Path | None = None,
) -> Config:
    """The configuration in ``file`` under what the command line says (field -> value); UsageError if it is wrong.

    ``within``: the folder whose plain file it has to be, unless the user named it.
    """
    settings: dict[str, Any] = {}
    origins: dict[str, str] = {}
    if file is not None:
        shown = _shown(file, root)
        settings = _settings(_table(file, shown, within), shown)
        origins = dict.fromkeys(settings, shown)
    for name, value in (command_line or {}).items():
        settings[name] = value
        origins[name] = COMMAND_LINE
    return Config(**settings, origins=dict(sorted(origins.items())))


def parse(table: Mapping[str, Any], shown: str) -> Config:
    """The configuration of a table that was read already; ``shown`` is what its origin is called."""
    settings = _settings(table, shown)
    return Config(**settings, origins=dict.fromkeys(sorted(settings), shown))


def own_settings(file: Path, root: Path) -> Config:
    """What a file of a folder of the project says by itself; UsageError if it is wrong, or no plain file of it."""
    return load(file, root=root, within=root)


def check_names(config: Config, names: RuleNames) -> None:
    """UsageError where the configuration names a rule, or an option of one, that there is not."""
    for setting in ("select", "ignore", "severities", "per_path_ignores"):
        for name in _rule_names(getattr(config, setting)):
            if not names.find(name):
                raise UsageError(f'{_where(config, setting)}there is no rule "{name}".{names.suggestion(name)}')
    for name, options in config.options.items():
        rule = names.one(name)
        if rule is None:
            raise UsageError(f'{_where(config, "options")}there is no rule "{name}".{names.suggestion(name)}')
        _check_options(rule, options, _where(config, "options"))


def families(config: Config) -> frozenset[str]:
    """The built-in families in which all rules stand that the configuration names; none if others have to be known."""
    named = [
        name
        for setting in ("select", "ignore", "severities", "per_path_ignores")
        for name in _rule_names(getattr(config, setting))
    ]
    found = frozenset(name.partition("/")[0] for name in (*named, *config.options))
    is_asked = config.origins.get("select") == COMMAND_LINE  # what a file asks, a folder's file may ask otherwise
    return found if is_asked and found <= BUILT_IN_FAMILIES else frozenset()


def by_id(config: Config, names: RuleNames) -> Config:
    """The configuration with the rules of ``options`` called by their ids; :func:`check_names` comes first."""
    options = {rule.id: values for name, values in config.options.items() if (rule := names.one(name))}
    return msgspec.structs.replace(config, options=options)


def nested(root: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """The configurations below the root's own, of the project's ``paths``."""
    found = []
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder and (name == FILE_NAME or (name == PYPROJECT and _mentions_us(root / path))):
            found.append(path)
    return tuple(found)


def describe(config: Config, root: Root, rules: Sequence[Rule]) -> str:
    """All settings with their origins, one a line, as ``--show-config`` prints them."""
    rows = [("root", _toml_value(str(root.folder)), "found from the paths given")]
    for field in msgspec.structs.fields(Config):
        if field.name not in ("origins", "options"):
            value = _toml_value(getattr(config, field.name))
            rows.append((_key(field.name), value, config.origins.get(field.name, DEFAULT_ORIGIN)))
    for rule in rules:
        for option in rule.options:
            is_set = option.name in config.options.get(rule.id, {})
            origin = config.origins.get("options", DEFAULT_ORIGIN) if is_set else DEFAULT_ORIGIN
            rows.append((f'options."{rule.id}".{option.name}', _toml_value(config.option(rule, option.name)), origin))
    return "".join(f"{name} = {value}  # {origin}\n" for name, value, origin in rows)


def _common_folder(paths: Sequence[Path]) -> Path:
    """The deepest folder that holds all the paths; the folder of a lone file."""
    absolute = [os.path.abspath(path) for path in paths] or [os.path.abspath("")]
    try:
        common = Path(os.path.commonpath(absolute))
    except ValueError:
        raise UsageError("The paths are on different drives: scan one at a time.") from None
    return common if common.is_dir() else common.parent


def _configuration_in(folder: Path) -> tuple[Path | None, tuple[str, ...]]:
    own, pyproject = folder / FILE_NAME, folder / PYPROJECT
    notes = [note for file in (own, pyproject) if (note := _unfit(file))]
    in_pyproject = _mentions_us(pyproject)
    if own.is_file() and not _unfit(own):
        if in_pyproject:
            notes.append(f"{PYPROJECT} has a [tool.backaudit] too: {FILE_NAME} is used, and it alone.")
        return own, tuple(notes)
    return (pyproject if in_pyproject else None), tuple(notes)


def _unfit(file: Path) -> str:
    """Why a file that is there is not read; nothing of a file that is not there, or may not be read."""
    try:
        read_regular(file, within=file.parent)
    except Unfit as error:
        return "" if file.is_dir() else f"{file} is not read: {error.strerror}."
    except OSError:
        return ""
    return ""


def _text(file: Path) -> str | None:
    """The text of a file of the project that may configure us."""
    try:
        return read_regular(file, within=file.parent).decode("utf-8-sig")
    except (OSError, ValueError):
        return None


def _mentions_us(pyproject: Path) -> bool:
    """Whether a pyproject.toml configures us; one that is broken does if it names our table anywhere."""
    text = _text(pyproject)
    if text is None or "backaudit" not in text:
        return False
    try:
        return "backaudit" in _section(parse_toml(text), "tool")
    except TomlError:
        return "[tool.backaudit" in text


def _section(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = table.get(name)
    return value if isinstance(value, dict) else {}


def _table(file: Path, shown: str, within: Path | None) -> Mapping[str, Any]:
    try:
        data = read_named(file) if within is None else read_regular(file, within=within)
        table = parse_toml(data.decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{shown}: the configuration cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{shown}: the configuration is not UTF-8.") from error
    except TomlError as error:
        raise UsageError(f"{shown}: not valid TOML: {error}.") from error
    if file.name != PYPROJECT:
        return table
    tool = _section(table, "tool")
    if not isinstance(tool.get("backaudit", {}), dict):
        raise UsageError(f"{shown}: [tool.backaudit] must be a table.")
    return _section(tool, "backaudit")


def _shown(file: Path, root: Path | None) -> str:
    try:
        return file.resolve().relative_to((root or file.parent).resolve()).as_posix()
    except ValueError:
        return str(file)


def _settings(table: Mapping[str, Any], shown: str) -> dict[str, Any]:
    """The fields of Config that a table sets, checked one by one."""
    try:
        return read_settings(SETTINGS, table)
    except WrongValue as error:
        raise UsageError(f"{shown}: {error}") from None


def _rule_names(value: Names | Mapping[str, Any]) -> list[str]:
    """The rules that a setting names: a list's items, a table's keys, or the items of a table of lists."""
    if isinstance(value, tuple):
        return list(value)
    return [name for key, item in value.items() for name in (item if isinstance(item, tuple) else (key,))]


def _where(config: Config, setting: str) -> str:
    origin = config.origins.get(setting, "")
    option = f"--{_key(setting)}" if origin == COMMAND_LINE else f"{origin}: {_key(setting)}"
    return f"{option}: " if origin else ""


def _check_options(rule: Rule, options: Mapping[str, OptionValue], where: str) -> None:
    declared = {option.name: option.default for option in rule.options}
    for name, value in options.items():
        if name not in declared:
            known = suggestion(name, declared) or (" It has none." if not declared else "")
            raise UsageError(f'{where}the rule "{rule.id}" has no option "{name}".{known}')
        if type(value) is not type(declared[name]):
            raise UsageError(f'{where}the option "{name}" of "{rule.id}" must be like {_toml_value(declared[name])}.')


def _key(field: str) -> str:
    return field.replace("_", "-")


def _toml_value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", quoted) + '"'
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml_value(key)} = {_toml_value(item)}" for key, item in value.items()) + "}"
    return str(value)
