"""Configuration: where the project's root is, what it sets, and where each setting comes from."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from backaudit.regular import Unfit, read_regular
from backaudit.rule import SEVERITIES, Rule, Severity
from backaudit.rulenames import BUILT_IN_FAMILIES, RuleNames, suggestion
from backaudit.source import Kind, Limits
from backaudit.toml import TomlError, parse_toml
from backaudit.usage import UsageError

FILE_NAME = "backaudit.toml"
PYPROJECT = "pyproject.toml"
DEFAULT_ORIGIN = "default"
COMMAND_LINE = "command line"

FailOn = Literal["critical", "high", "medium", "low", "never"]
OptionValue = bool | int | str | tuple[str, ...]
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


def load(file: Path | None, command_line: Mapping[str, Any] | None = None, *, root: Path | None = None) -> Config:
    """The configuration in ``file`` under what the command line says (field -> value); UsageError if it is wrong."""
    settings: dict[str, Any] = {}
    origins: dict[str, str] = {}
    if file is not None:
        shown = _shown(file, root)
        settings = _settings(_table(file, shown), shown)
        origins = dict.fromkeys(settings, shown)
    for name, value in (command_line or {}).items():
        settings[name] = value
        origins[name] = COMMAND_LINE
    return Config(**settings, origins=dict(sorted(origins.items())))


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
    return found if config.select and found <= BUILT_IN_FAMILIES else frozenset()


def by_id(config: Config, names: RuleNames) -> Config:
    """The configuration with the rules of ``options`` called by their ids; :func:`check_names` comes first."""
    options = {rule.id: values for name, values in config.options.items() if (rule := names.one(name))}
    return msgspec.structs.replace(config, options=options)


def nested(root: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """The configurations below the root's own, of the project's ``paths``: they have no effect, and a note says so."""
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


def _table(file: Path, shown: str) -> Mapping[str, Any]:
    try:
        table = parse_toml(file.read_text("utf-8-sig"))
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
    settings: dict[str, Any] = {}
    for key, value in table.items():
        reader = _READERS.get(key)
        if reader is None:
            raise UsageError(f'{shown}: unknown setting "{key}".{suggestion(key, _READERS)}')
        try:
            settings[key.replace("-", "_")] = reader(value)
        except _WrongValue as error:
            raise UsageError(f"{shown}: {key}{error}") from None
    return settings


class _WrongValue(Exception):
    """What is wrong with a value; the text follows the setting's name."""


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise _WrongValue(" must be true or false.")
    return value


def _string(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise _WrongValue(" must be a text.")
    return value


def _strings(value: object) -> Names:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise _WrongValue(" must be a list of strings.")
    return tuple(value)


def _one_of(allowed: Sequence[str]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in allowed:
            near = suggestion(value, allowed) if isinstance(value, str) else ""
            raise _WrongValue(f" must be one of {', '.join(allowed)}.{near}")
        return value

    return read


def _size(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise _WrongValue(" must be a number of bytes above 0.")
    return value


def _option_value(value: object) -> OptionValue:
    if isinstance(value, (bool, int, str)):
        return value
    return _strings(value)


def _mapping(read: Callable[[object], Any], keys: Sequence[str] = ()) -> Callable[[object], dict[str, Any]]:
    """A reader of tables whose values ``read`` checks, and whose keys are of ``keys`` if that names any."""

    def read_all(value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _WrongValue(" must be a table.")
        found: dict[str, Any] = {}
        for key, item in value.items():
            if keys and key not in keys:
                raise _WrongValue(f': unknown key "{key}".{suggestion(key, keys)} Known are {", ".join(keys)}.')
            try:
                found[key] = read(item)
            except _WrongValue as error:
                raise _WrongValue(f'."{key}"{error}') from None
        return found

    return read_all


_READERS: dict[str, Callable[[object], Any]] = {
    "select": _strings,
    "ignore": _strings,
    "per-path-ignores": _mapping(_strings),
    "severities": _mapping(_one_of(SEVERITIES)),
    "exclude": _strings,
    "strict": _bool,
    "fail-on": _one_of((*SEVERITIES, "never")),
    "fail-on-problem": _bool,
    "fail-on-stale": _bool,
    "fail-on-nothing": _bool,
    "baseline": _string,
    "options": _mapping(_mapping(_option_value)),
    "sources": _strings,
    "sinks": _mapping(_strings, SINK_KINDS),
    "sanitizers": _mapping(_strings, SINK_KINDS),
    "hashers": _strings,
    "validators": _strings,
    "guards": _mapping(_strings, SINK_KINDS),
    "propagators": _strings,
    "auth-guards": _strings,
    "limits": _mapping(_size, get_args(Kind)),
}


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
