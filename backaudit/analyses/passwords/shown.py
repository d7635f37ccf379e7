"""What shows a password to whoever reads it: the password itself, its hash, or an object that carries one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from backaudit.analyses.passwords.collections import stored_password
from backaudit.analyses.passwords.label import NamedPassword
from backaudit.analyses.passwords.requested import brings_password, checked_password
from backaudit.analyses.passwords.undeclared import named_columns
from backaudit.backend.data.queries.chains import table_of
from backaudit.backend.data.queries.handing import executed_statement
from backaudit.backend.data.schema import schema
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.flow.rows import is_model
from backaudit.flow.search import Search
from backaudit.flow.trace import ANY, Access
from backaudit.project import ClassView, Node, Project
from backaudit.project.strings import spelled_strings
from backaudit.project.types import split
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import is_password_column, means_password

_NO_TEXT = meaning("columns", "no-text-class")
_MASKS = meaning("passwords", "masking")
_SELECTED = re.compile(r"\s*select\s+(?P<columns>.*?)\s+from\s+[\"`]?(?:\w+\.)?(?P<table>\w+)", re.I | re.S)
_RETURNED = re.compile(
    r"\s*(?:insert\s+into|update|delete\s+from)\s+[\"`]?(?:\w+\.)?(?P<table>\w+).*\breturning\s+(?P<columns>[^;]*)",
    re.I | re.S,
)


class Shown(NamedPassword):
    """A password that can be read in a value, whether somebody typed it or it was stored.

    ``hashes``: hashes count too. ``objects``: objects of the project's tables count whole (what turns them to text or
    JSON shows their columns); without it only those whose own text shows it.
    """

    def __init__(self, project: Project, *, hashes: bool = False, objects: bool = False) -> None:
        super().__init__(project)
        self._hashes = hashes
        self._objects = objects
        self._client = project.models.sources

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        op, project = node.op, search.project
        if not access and node.method in project.models.kinds.get("secret-openers", frozenset()):
            inside = node.receiver.spelled.rpartition(".")[2] if node.receiver is not None else ""
            return f"`{node.spelled}` is a password without its mask" if means_password(inside) else None
        if any("Secret" in name for name in project.types(node)) and not access:
            return None
        if isinstance(op, ops.Attr) and not access and is_password_column(op.name):
            return self._column(project, node, op) or super().source(search, node, access)
        if access:
            found = self._key(project, node, access)
            return found or super().source(search, node, access)
        return self._whole(project, node) or super().source(search, node, access)

    def _column(self, project: Project, node: Node, op: ops.Attr) -> str | None:
        if not self._hashes and not means_password(op.name):
            return None
        if any(is_model(project, split(name)[0]) for name in project.types(node.to(op.base))):
            return f"`{node.spelled or op.name}` is the stored password"
        return None

    def _key(self, project: Project, node: Node, access: Access) -> str | None:
        """A column of a row that is wanted by name."""
        if access and set(access) == {ANY}:
            return self._document(project, node) or self._row(project, node)
        last = _column_at(project, node, access[-1])
        if not isinstance(last, str) or len(access) > 2:
            return None
        wanted = is_password_column(last) if self._hashes else means_password(last)
        found = wanted and _is_fetched(project, node, last)
        return f"`{last}` of `{node.spelled}` is the stored password" if found else None

    def _whole(self, project: Project, node: Node) -> str | None:
        """An object that carries a password."""
        for name in project.types(node):
            head, over = split(name)
            cls = project.class_named(over if head == "list" else head)
            field = self._field(project, cls) if cls is not None else None
            if cls is not None and field is not None:
                return f"`{node.spelled or cls.cls.name}` holds `{cls.cls.name}.{field}`"
        checked = checked_password(project, node)
        if checked is not None:
            return f"`{node.spelled}` holds `{checked}`"
        return self._request(project, node) or self._row(project, node) or self._document(project, node)

    def _field(self, project: Project, cls: ClassView) -> str | None:
        """The password field that the text or JSON of an object of this class shows."""
        if is_model(project, cls.name):
            shows = self._objects or self._is_schema(project, cls) or text_shows(project, cls)
        else:
            shows = self._is_schema(project, cls) and (self._objects or "__repr__" not in cls.methods)
        found = password_fields(project, cls) if shows else ()
        return next((name for name in found if self._hashes or means_password(name)), None)

    def _is_closed(self, project: Project, node: Node) -> bool:
        """Whether a whole value shows nothing of what was put into it: an object of a class, a ``SecretStr``."""
        types = project.types(node)
        classes = [cls for name in types if (cls := project.class_named(split(name)[0])) is not None]
        return any("Secret" in name for name in types) or (
            bool(classes) and all(self._field(project, cls) is None for cls in classes) and len(classes) == len(types)
        )

    def _is_schema(self, project: Project, cls: ClassView) -> bool:
        return not self._schemas.isdisjoint(project.lineage(cls.name))

    def _request(self, project: Project, node: Node) -> str | None:
        """The whole form or body, where the same code takes a password out of it."""
        op = node.op
        if not isinstance(op, (ops.Attr, ops.Call)):
            return None
        func = node.to(op.func) if isinstance(op, ops.Call) else node
        what = next((self._client[name] for name in project.names(func) if name in self._client), None)
        carries = what is not None and any(word in what for word in ("form", "body", "JSON", "parsed", "query"))
        return f"{what} holds the password" if carries and brings_password(project, node) else None

    def _document(self, project: Project, node: Node) -> str | None:
        """A whole document of a collection that is filled with passwords or their hashes."""
        if not isinstance(node.op, ops.Call) or not node.is_call_of("document-queries") or project.callees(node):
            return None
        key = stored_password(project, node)
        counts = key is not None and (self._hashes or means_password(key.rpartition(".")[2]))
        return f"`{node.spelled}` gives whole documents, `{key}` with them" if counts else None

    def _row(self, project: Project, node: Node) -> str | None:
        if not isinstance(node.op, ops.Call) or not node.is_call_of("driver-fetches"):
            return None
        column = selected_password(project, node)
        if column is None or not (self._hashes or means_password(column)):
            return None
        return f"`{node.spelled}` holds the column `{column}`"

    def ends(self, search: Search, node: Node, access: Access, use: Value) -> bool:
        op = node.op
        if isinstance(op, ops.Const):
            return True
        if isinstance(op, ops.Attr) and not access and self._column(search.project, node, op):
            return False
        if isinstance(op, ops.Call) and (node.is_call_of("cuts-text") or _MASKS.holds(node.method)):
            return self._document(search.project, node) is None  # ``find`` is a text's and a collection's
        if isinstance(op, ops.Item) and isinstance(node.to(op.key).op, ops.Build):
            return True  # a slice of it
        if not access and self._is_closed(search.project, node):
            return True
        return super().ends(search, node, access, use)


def _column_at(project: Project, fetch: Node, key: object) -> object:
    """The column that stands in a place of a row, where the statement can be read; what is no place as it is."""
    if not isinstance(key, int) or isinstance(key, bool) or fetch.call is None:
        return key
    columns = selected_columns(project, fetch)
    return columns[key] if -len(columns) <= key < len(columns) else key


def _is_fetched(project: Project, query: Node, column: str) -> bool:
    """Whether a call gives records, or rows of a table that has the column but no class: ``select(users)``."""
    if query.is_call_of("driver-fetches") or query.is_call_of("document-queries"):
        return True
    table = table_of(project, query) if query.call is not None and query.is_call_of("fetched") else None
    return table is not None and not table.model and table.column(column) is not None


def password_fields(project: Project, cls: ClassView) -> tuple[str, ...]:
    """The fields of a class, inherited ones included, that hold a password or its hash as readable text."""
    declared: dict[str, Node] = {}
    for view in project.lineage_views(cls.name):
        declared = {**view.fields, **declared}  # a subclass has the last word
    if "valor" in declared:
        declared.pop("clave", None)  # key and value
    columns = {name: bind for name, bind in declared.items() if is_password_column(name) and not _is_computed(bind)}
    found = {name: None for name, bind in columns.items() if not is_hidden(project, bind)}
    if not found and not project.models.kinds.get("row-classes", frozenset()).isdisjoint(project.lineage(cls.name)):
        found["password"] = None
    return tuple(found)


def _is_computed(bind: Node) -> bool:
    """``password = property(read, write)``: no column, and no field that lists of all columns have."""
    return bind.origin.method == "property"


def is_hidden(project: Project, bind: Node) -> bool:
    """Whether a field's type or declaration keeps it from view: ``SecretStr``, ``exclude=True``, ``repr=False``."""
    op = bind.op
    assert isinstance(op, ops.Bind)
    annotation = bind.to(op.annotation) if op.annotation != NONE else None
    if annotation is not None and (
        _keeps_from_view(project, annotation) or _is_of_hidden_type(project.annotated(annotation))
    ):
        return True
    declared = [bind.to(op.value)] if op.value != NONE else []
    if annotation is not None:
        declared += _declarations(annotation)
    return any(_is_marked(made.keywords()) for made in declared) or any(map(_holds_no_text, declared))


def _keeps_from_view(project: Project, annotation: Node) -> bool:
    """``Private[str]``: the library leaves the field out of what clients may ask for."""
    op = annotation.op
    outer = annotation.to(op.base) if isinstance(op, ops.Item) else annotation
    return not project.models.kinds["hiding-annotations"].isdisjoint(project.names(outer))


def _is_of_hidden_type(types: Sequence[str]) -> bool:
    """Whether a type masks its text, or is of no text at all."""
    if any("Secret" in name for name in types):
        return True
    return not set(types) <= _NOTHING and all(name in _NO_PASSWORD or name in _NOTHING for name in types)


_NO_PASSWORD = frozenset(
    "builtins.bool builtins.int builtins.float datetime.datetime datetime.date datetime.time datetime.timedelta "
    "decimal.Decimal".split()
)
_NOTHING = frozenset(("None", "builtins.None", "types.NoneType", "builtins.NoneType"))


def _holds_no_text(made: Node) -> bool:
    """A column or field of another type, by its constructor's name or that of the type it is given."""
    named = [made.method, *(argument.spelled.rpartition(".")[2].strip("()") for argument in made.args())]
    return made.origin.call is not None and any(_NO_TEXT.holds(name) for name in named if name)


def _declarations(annotation: Node) -> list[Node]:
    """``Annotated[str, Field(exclude=True)]``: what stands beside the type."""
    op = annotation.origin.op
    key = annotation.origin.to(op.key).origin if isinstance(op, ops.Item) else None
    parts = key.op.items if key is not None and isinstance(key.op, ops.Build) else ()
    made = [key.to(part).origin for part in parts] if key is not None else []
    return [node for node in made if node.call is not None]


def _is_marked(keywords: Mapping[str, Node]) -> bool:
    marked = (keywords.get("exclude"), keywords.get("write_only"), keywords.get("load_only"))
    return any(node is not None and node.const is True for node in marked) or (
        "repr" in keywords and keywords["repr"].const is False
    )


def text_shows(project: Project, cls: ClassView) -> bool:
    """Whether the text that a class makes of its objects has the password in it."""
    return any(True for _ in shown_in_text(project, cls))


def shown_in_text(project: Project, cls: ClassView) -> Iterator[Node]:
    """The reads of a password in ``__repr__`` and ``__str__``."""
    for name in ("__repr__", "__str__"):
        method = cls.methods.get(name)
        for node in method.nodes(ops.Attr) if method is not None else ():
            op = node.op
            own = isinstance(op, ops.Attr) and isinstance(node.to(op.base).origin.op, ops.Param)
            if own and isinstance(op, ops.Attr) and is_password_column(op.name):
                yield node


def selected_password(project: Project, fetch: Node) -> str | None:
    """The password column among what the statement of a fetch selects, where the statement can be read."""
    for column in selected_columns(project, fetch):
        if is_password_column(column):
            return column
    return None


def selected_columns(project: Project, fetch: Node) -> list[str]:
    """The columns that the statement of a fetch selects, in order; none where the statement cannot be read."""
    code = fetch.code
    inner = fetch.receiver.origin if fetch.receiver is not None else None
    calls = [inner] if inner is not None and inner.call is not None and inner.method == "execute" else []
    before = [node for node in code.nodes(ops.Call) if node.method == "execute" and node.value < fetch.value]
    own = executed_statement(project, fetch)
    given = [own] if own is not None else [call.arg(0) for call in calls or before[-1:]]
    for first in filter(None, given):
        for text in spelled_strings(project, first):
            found = _SELECTED.match(text) or _RETURNED.match(text)
            if found is not None:
                return _among(project, found["columns"], found["table"])
    return []


def _among(project: Project, columns: str, table: str) -> list[str]:
    names = [part.strip().rpartition(".")[2].strip('"`') for part in columns.split(",")]
    if "*" in names:
        known = project.once(schema).table(table)
        names = [column.name for column in known.columns] if known is not None else [*named_columns(project, table)]
    return [name if re.fullmatch(r"\w+", name) else "" for name in names]
