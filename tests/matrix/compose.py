"""A program of one piece of each kind: the scenario's work where the layout puts it, in words of route and store."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import msgspec

from tests.matrix.pieces import Input, Layout, Native, Pieces, Route, Scenario, Store, Variant, pieces
from tests.matrix.slots import fill, finished, indented, no_calls, replaced

MISTAKE = "mistake"
REFUSED = """
class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status
        self.text = text
"""
_VERB = re.compile(r"\$([a-z]\w*)\(")
_EMPTY_LINES = re.compile(r"\n{4,}")


class Row(NamedTuple):
    """A choice of pieces, by name."""

    scenario: str
    route: str
    store: str
    input: str
    layout: str

    def __str__(self) -> str:
        return " × ".join(self)


class Program(NamedTuple):
    """One mistake, or one careful twin of it, as files."""

    row: Row
    variant: str
    rule: str
    files: dict[str, str]

    @property
    def name(self) -> str:
        return f"{self.row} × {self.variant}"


def programs(row: Row) -> list[Program]:
    """The mistake of a row, and its twins."""
    scenario = pieces().scenarios[row.scenario]
    variants = {MISTAKE: scenario.mistake, **scenario.twins}
    return [
        Program(row, name, scenario.rule, Composition(pieces(), row, variant).files)
        for name, variant in variants.items()
    ]


def verbs_of(scenario: Scenario) -> set[str]:
    """What the scenario asks of a store."""
    texts = [scenario.mistake.work, *(twin.work for twin in scenario.twins.values())]
    texts += [scenario.sibling.work] if scenario.sibling is not None else []
    return {name for text in texts for name in _VERB.findall(text)} & set(pieces().verbs)


class Composition:
    """How one program comes to be; each part is made once, when it is asked for."""

    def __init__(self, known: Pieces, row: Row, variant: Variant, scenario: Scenario | None = None) -> None:
        self.known = known
        self.row = row
        self.variant = variant
        self.scenario: Scenario = scenario or known.scenarios[row.scenario]
        self.route: Route = known.routes[row.route]
        self.store: Store = known.stores[row.store]
        self.input: Input = known.inputs[variant.input or row.input]
        self.layout: Layout = known.layouts[row.layout]
        self.native: Native = self.route.natives.get(variant.input or row.input, Native())
        self.used: dict[str, str] = {}  # the verbs that were moved, by name, in the order of their use

    @cached_property
    def files(self) -> dict[str, str]:
        """The files of the program, by path."""
        handler = self._handler
        prefix = f"{self.route.package}/" if self.route.package else ""
        endpoints, entries = [self._endpoint(handler)], [self._entry]
        if self._sibling is not None:
            endpoints.insert(0, self._sibling._endpoint(self._sibling._handler))
            entries.insert(0, self._sibling._entry)
        scope = {**self._scope, **self._placed, "endpoints": "\n\n".join(endpoints), "entries": "\n".join(entries)}
        texts = dict(self.route.files)
        texts |= {prefix + path: text for path, text in self.layout.files.items()}
        if self.store.models:
            texts[f"{prefix}models.py"] = self.store.models
        texts[f"{prefix}errors.py"] = REFUSED
        made = {path: self._polished(fill(text, scope)) for path, text in texts.items()}
        return {path: text for path, text in made.items() if self._is_needed(path, made)}

    @cached_property
    def _sibling(self) -> Composition | None:
        """The other endpoint of the program, if the scenario has one: its work stands in the handler itself."""
        given = self.scenario.sibling
        if given is None:
            return None
        row = self.row._replace(input="none", layout="inline")
        scenario = msgspec.structs.replace(self.scenario, name=given.name, takes={}, method="GET", sibling=None)
        return Composition(self.known, row, Variant(work=given.work), scenario)

    @cached_property
    def _entry(self) -> str:
        return fill(self.route.entry, {**self._scope, **self._addressed})

    @cached_property
    def _addressed(self) -> dict[str, str]:
        """Where the endpoint is found."""
        return {
            "METHOD": self._method,
            "verb": self._method.lower(),
            "path": self._path,
            "shortpath": self._path[1:],
            "shortname": self.scenario.name.replace("_", "-"),
        }

    def _is_needed(self, path: str, made: Mapping[str, str]) -> bool:
        """Whether a helping module is imported by another."""
        module = path.rpartition("/")[2].removesuffix(".py")
        if module not in ("errors", "guards", "deps"):
            return True
        return any(re.search(rf"from \S*\b{module} import", text) for other, text in made.items() if other != path)

    def _polished(self, text: str) -> str:
        for old, new in self.layout.renames.items():
            text = re.sub(rf"\b{old}\b", new, text)
        return finished(_EMPTY_LINES.sub("\n\n\n", text))

    # What every text may name.

    @cached_property
    def _asks_for_caller(self) -> bool:
        return self.scenario.caller if self.variant.guarded is None else self.variant.guarded

    @cached_property
    def _handle(self) -> str:
        return self.store.handle

    @cached_property
    def _is_async(self) -> bool:
        return self.store.asynchronous and bool(verbs_of(self.scenario))

    @cached_property
    def _scope(self) -> dict[str, str]:
        """The slots that mean the same in every file of the program."""
        asks = "$caller" in self.variant.work
        names = list(self.scenario.takes) + (["caller"] if asks else [])
        values = [self._value(name) for name in self.scenario.takes]
        values += [self.route.caller.key] if asks and self.route.caller else []
        whole = ["whole"] if "$whole" in self.variant.work else []
        names += whole
        values += [self.input.whole for _ in whole]
        db = [self._handle] if self._handle else []
        pairs = list(zip(names, values, strict=True))
        return {
            "here": f"{self.route.package}." if self.route.package else "",
            "name": self.scenario.name,
            "Class": _camel(self.scenario.name),
            "handle": self._handle,
            "handle_type": self.store.handle_type,
            "provider": self.store.provider,
            "db": self._handle,
            "await": "await " if self._is_async else "",
            "names": ", ".join(names),
            "values": ", ".join(values),
            "args": ", ".join(db + values),
            "params": ", ".join(db + names),
            "db_params": ", ".join(db),
            "db_first": "".join(f"{name}, " for name in db),
            "db_values": ", ".join([*db, "values"]),
            "db_command": ", ".join([*db, "command"]),
            "self_params": ", ".join(["self", *names]),
            "pairs": ", ".join(f"{name}={value}" for name, value in pairs),
            "items": ", ".join(f'"{name}": {value}' for name, value in pairs),
            "fields": "\n".join(f"{name}: {self.scenario.takes.get(name, 'object')}" for name in names),
            "provided": f"{self._handle}=Depends({self.store.provider})" if self._handle else "",
            "keeps": self._keeps,
            "setup": self.store.setup,
            **(self.route.writing if self.scenario.method != "GET" else self.route.reading),
        }

    @cached_property
    def _keeps(self) -> str:
        if not self._handle:
            return ""
        return f"def __init__(self, {self._handle}):\n    self.{self._handle} = {self._handle}\n\n"

    # The client's values.

    def _value(self, name: str) -> str:
        native = self.native.value
        return replaced(self.input.value if native is None else native, {"name": name})

    @cached_property
    def _fields(self) -> str:
        types = self.input.types or {"int": "int", "str": "str"}
        lines = [
            replaced(self.input.field, {"name": name, "type": types[kind]})
            for name, kind in self.scenario.takes.items()
        ]
        return "\n".join(lines)

    @cached_property
    def _declared(self) -> str:
        """The schema of what the client sends."""
        text = self.input.declare if self.native.declare is None else self.native.declare
        quoted = ", ".join(f'"{name}"' for name in self.scenario.takes)
        return fill(text, {"fields": self._fields, "quoted": quoted}) if self.scenario.takes else ""

    @cached_property
    def _is_native(self) -> bool:
        """Whether the framework hands the values over as parameters."""
        if self.input.kind == "path":
            return bool(self.route.path_param)
        return bool(self.native.param)

    @cached_property
    def _read(self) -> str:
        """The statements that read what the client sent."""
        if self.native.read:
            return self.native.read
        if self._is_native or not self.scenario.takes or self.input.source == "native":
            return self.input.read if self.input.source == "native" and not self.native.param else ""
        source = self.route.reads.get(self.input.source, "")
        each = self.scenario.takes if "$name" in self.input.read else ["payload"]
        lines = [
            replaced(replaced(self.input.read, {"source": source}), {"name": name, "header": _header(name)})
            for name in each
        ]
        return "\n".join(lines)

    @cached_property
    def _input_params(self) -> list[str]:
        pattern = self.route.path_param if self.input.kind == "path" else self.native.param
        if not self._is_native or not self.scenario.takes:
            return []
        if "$name" not in pattern:
            return [pattern]
        types = self.route.path_types or {"int": "int", "str": "str"}
        return [replaced(pattern, {"name": name, "type": kind}) for name, kind in self.scenario.takes.items() if types]

    @cached_property
    def _path(self) -> str:
        base = "/" + self.scenario.name.replace("_", "-")
        if self.input.kind != "path" or not self.route.path_value:
            return base
        types = self.route.path_types or {"int": "int", "str": "str"}
        parts = [
            replaced(self.route.path_value, {"name": name, "type": types[kind]})
            for name, kind in self.scenario.takes.items()
        ]
        return "/".join([base, *parts])

    @cached_property
    def _arguments(self) -> str:
        types = self.route.path_types or {"int": "int", "str": "str"}
        parts = [
            replaced(self.route.argument, {"name": name, "type": types[kind]})
            for name, kind in self.scenario.takes.items()
        ]
        return ", ".join(parts)

    # The work, and where it stands.

    @cached_property
    def _imports(self) -> str:
        return fill("\n".join([self.store.imports.strip("\n"), self.scenario.imports.strip("\n")]), self._scope)

    @cached_property
    def _answer(self) -> str:
        texts = {"answer": self.route.answer, "page": self.route.page, "redirect": self.route.redirect}
        return replaced(texts[self.scenario.answer], {"value": "result"})

    @cached_property
    def _work_here(self) -> str:
        """The work as the handler does it itself."""
        names = {name: self._value(name) for name in self.scenario.takes}
        return self._worked(names, self._handle, fails="answer")

    @cached_property
    def _work_moved(self) -> str:
        """The work in a function of its own."""
        taken = [*self.scenario.takes, "caller", "whole"]
        pattern = self.layout.given
        if pattern == "$value":
            names = {name: self._value(name) for name in self.scenario.takes}
            return self._worked(names, self._handle, fails=self.layout.fails)
        names = {name: replaced(pattern, {"name": name}) for name in taken}
        db = fill(self.layout.db or "$db", self._scope)
        return self._worked(names, db, fails=self.layout.fails)

    def _worked(self, names: Mapping[str, str], db: str, *, fails: str) -> str:
        caller = self.route.caller.key if self.route.caller else ""
        scope = {
            "caller": caller,
            "whole": self.input.whole,
            **names,
            "db": db,
            "Note": "Note",
            "Account": "Account",
            "missing": self.store.missing,
            "conflict": self.store.conflict,
        }
        return fill(self.variant.work, scope, _Calls(self, fails))

    @cached_property
    def _placed(self) -> dict[str, str]:
        """The slots of the layout's files and definitions."""
        abort = fill(self.route.abort_imports, self._scope)
        raised = f"from {self._scope['here']}errors import Refused" if self.layout.moves == "work" else ""
        apart = "$guard" in self.route.endpoint
        scope = {
            "work_imports": "\n".join(text for text in (self._imports, abort, raised) if text),
            "imports": self._handler_imports,
            "async": "async " if self._is_async else "",
            "decorators": "\n".join(text for text in (self.native.decorator, "" if apart else self._guard) if text),
            "guard": self._guard,
            **self._addressed,
            "actionpath": self._path[1:],
            "arguments": self._arguments,
        }
        if self.layout.moves == "work":
            scope["work"] = self._work_moved
            scope["opened"] = self._opened(self._work_moved)
        if self.layout.moves == "verbs":
            assert self._handler is not None
            scope["verbs"] = "\n\n".join(self._moved_verbs)
        layout = {**self._scope, **scope}
        scope["definitions"] = "\n\n".join(
            text for text in (self._declared, self._caller_text, fill(self.layout.definitions, layout)) if text
        )
        return scope

    @cached_property
    def _caller_text(self) -> str:
        return self.route.caller.definitions if self._asks_for_caller and self.route.caller else ""

    @cached_property
    def _guard(self) -> str:
        return self.route.caller.decorator if self._asks_for_caller and self.route.caller else ""

    @cached_property
    def _method(self) -> str:
        if self.scenario.method == "GET" and self.input.method:
            return self.input.method
        return self.scenario.method

    @cached_property
    def _handler_imports(self) -> str:
        caller = self.route.caller if self._asks_for_caller else None
        texts = [
            self._imports,
            self.input.imports,
            self.native.imports,
            caller.imports if caller else "",
            self.route.session_imports if self._takes_session else "",
            self.layout.imports,
            f"from {self._scope['here']}errors import Refused" if self._may_refuse else "",
        ]
        lines = [line for text in texts for line in text.strip("\n").split("\n") if line]
        repositories = ", ".join(sorted({_repository(verb) for verb in self.used})) or "NoteRepository"
        return fill("\n".join(dict.fromkeys(lines)), {**self._scope, "repositories": repositories})

    # The handler.

    @cached_property
    def _takes_session(self) -> bool:
        return bool(self.route.session_param and self.store.provider and self._handle)

    @cached_property
    def _may_refuse(self) -> bool:
        return self.layout.moves == "work" and "raise Refused" in self._work_moved and self.layout.answers

    @cached_property
    def _handler(self) -> str:
        """The statements of the handler."""
        if self.layout.moves == "work":
            call = fill(self.layout.call, {**self._scope, "work": self._work_moved, "async": self._async_word})
            call = self._refusing(call) if self._may_refuse else call
        elif self.layout.moves == "verbs":
            call = fill(self.layout.call, {**self._scope, "work": self._work_here})
        else:
            call = fill(self.layout.shape, {"work": self._work_here})
        body = "\n".join([call, self._answer])
        read = fill(self._read, self._scope, _Calls(self, "answer"))
        needs = self.layout.answers or self.layout.moves != "work"
        opened = self._opened(body) if needs and not self._takes_session else body
        return "\n".join(text for text in (read, opened) if text.strip())

    @cached_property
    def _async_word(self) -> str:
        return "async " if self._is_async else ""

    def _refusing(self, call: str) -> str:
        refuse = replaced(self.route.fail, {"text": "refused.text", "status": "refused.status"})
        return f"try:\n{indented(call, '    ')}\nexcept Refused as refused:\n{indented(refuse, '    ')}"

    def _opened(self, body: str) -> str:
        """The body with the store's handle opened before it; an opening that ends with a colon holds it."""
        opening = self.store.open
        if opening.endswith(":"):
            return f"{opening}\n{indented(body, '    ')}"
        return "\n".join(text for text in (opening, body) if text)

    def _endpoint(self, handler: str) -> str:
        caller = self.route.caller if self._asks_for_caller else None
        params = [*self.route.first, *self._input_params]
        if self._takes_session:
            params.append(fill(self.route.session_param, self._scope))
        params += [text for text in (self.layout.param, caller.param if caller else "") if text]
        is_async = self.route.asynchronous == "always" or "await " in handler
        scope = {
            **self._scope,
            **self._placed,
            "params": ", ".join(params),
            "async": "async " if is_async else "",
            "body": handler,
        }
        return fill(self.route.endpoint, scope)

    # Verbs.

    def fail(self, status: str, text: str, style: str) -> str:
        """How the work ends when it cannot be done."""
        if style == "answer":
            return replaced(self.route.fail, {"status": status, "text": text})
        known = self.route.aborts
        if style == "abort" and self.route.abort and (not known or status in known):
            values = {"status": status, "text": text, "Status": known.get(status, "")}
            return replaced(self.route.abort, values)
        return f"raise Refused({status}, {text})"

    def attribute(self, row: str, column: str) -> str:
        """A column of a row."""
        position = ""
        for table, columns in self.store.columns.items():
            if row == table and column in columns:
                position = str(columns.index(column))
        return replaced(self.store.row, {"row": row, "column": column, "position": position})

    def verb(self, name: str, arguments: Sequence[str], target: str) -> str:
        """What the store writes, or the call of the function that it was moved to."""
        verb = self.known.verbs[name]
        into = target or "found"
        if self.layout.moves != "verbs":
            values = dict(zip(verb.takes, arguments, strict=True))
            return replaced(self.store.verbs[name], {**values, "into": into})
        gives = "$into" in self.store.verbs[name]
        self.used.setdefault(name, "")
        use = self.layout.use if gives else self.layout.use.replace("$into = ", "")
        db = [self._handle] if self._handle else []
        values = {
            "into": into,
            "verb": name,
            "values": ", ".join(arguments),
            "args": ", ".join([*db, *arguments]),
            "Repository": _repository(name),
        }
        return fill(replaced(use, values), self._scope)

    @cached_property
    def _moved_verbs(self) -> list[str]:
        """The functions that the verbs were moved to."""
        return [self._moved_verb(name) for name in self.used]

    def _moved_verb(self, name: str) -> str:
        verb = self.known.verbs[name]
        model = self.layout.model
        scope = {
            **{taken: taken for taken in verb.takes},
            "Note": model or "Note",
            "Account": model or "Account",
            "db": fill(self.layout.db or "$db", self._scope),
            "into": "found",
        }
        text = fill(replaced(self.store.verbs[name].strip("\n"), scope), scope)
        lone = text.removeprefix("found = ") if text.startswith("found = ") and "\n" not in text else ""
        statements = f"return {lone}" if lone else text
        if not lone and "found" in text:
            statements += "\nreturn found"
        db = [self._handle] if self._handle else []
        params = {
            "verb": name,
            "params": ", ".join([*db, *verb.takes]),
            "self_params": ", ".join(["self", *verb.takes]),
            "cls_params": ", ".join(["cls", *db, *verb.takes]),
            "statements": statements,
            "async": "async " if self._is_async else "",
        }
        return fill(self.layout.verb, params).strip("\n")


class _Calls:
    """What a work's text may call: verbs of the store, and a few words about rows and answers."""

    def __init__(self, composition: Composition, fails: str) -> None:
        self._composition = composition
        self._fails = fails

    def __call__(self, name: str, arguments: Sequence[str], target: str) -> str:
        made = self._composition
        if name == "fail":
            return made.fail(arguments[0], arguments[1], self._fails)
        if name == "of":
            return made.attribute(arguments[0], arguments[1])
        if name == "joined":
            return replaced(made.store.joined, {"row": arguments[0]})
        if name in made.known.verbs:
            return made.verb(name, arguments, target)
        return no_calls(name, arguments, target)


def _repository(verb: str) -> str:
    return "AccountRepository" if verb.startswith("account") else "NoteRepository"


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _header(name: str) -> str:
    return f"X-{name.capitalize()}"
