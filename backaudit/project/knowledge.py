"""What is known of libraries, as records: filled from the tables by ``models``, asked through ``project.models``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import chain
from typing import Any, Literal

import msgspec

from backaudit.facts.changes import MarkStyle
from backaudit.sql import Form


class ParameterConvention(msgspec.Struct, frozen=True):
    """A parameter called ``name`` in a file that imports ``package`` is taken for a ``type``, unless annotated.

    ``over``: the package that this one is built on, whose convention it goes before.
    ``beside``: without an import, where a parameter of that name follows (``handler(event, context)``).
    """

    name: str
    type: str
    package: str = ""
    over: str = ""
    beside: str = ""


class Handover(msgspec.Struct, frozen=True):
    """A call that hands a function over to be run: where the function and its arguments stand.

    ``function``: its argument by position or keyword (``self``: the receiver). ``rest``: from which position on the
    arguments of the call itself are the function's; ``args`` and ``kwargs``: a sequence and a mapping of them;
    ``elements``: from which position on the arguments hold what it gets one by one. ``options``: keywords of the call
    that are its own. ``bound``: the keyword of the function's decorator that makes it get itself first. ``result``:
    what it returns is the call's value, its elements (``elements``), or lost (``none``).
    """

    function: tuple[int | str, ...] = (0,)
    rest: int | None = None
    args: tuple[int | str, ...] = ()
    kwargs: tuple[int | str, ...] = ()
    elements: int | None = None
    options: tuple[str, ...] = ()
    bound: str = ""
    result: str = "none"


class Callback(msgspec.Struct, frozen=True):
    """Functions that a library calls with what a client sends, although no route leads to them.

    The name is a decorator's, that of a call whose argument ``function`` is called, or a class's: then ``methods`` are
    those of its subclasses, by patterns. ``skips``: how many arguments the library gives before the client's;
    ``unbound``: a method's ``self`` is the first of these. ``own``: parameters that are not the client's, by name or
    type. ``typed``: the library checks the annotations. ``answered``: exceptions that the client is told in order;
    ``ending``: what others end as, in words for a message. ``act``: what it is
    asked for as, like the method of a route. ``like``: the entry that says what this one does not.
    """

    like: str = ""
    function: tuple[int | str, ...] = ()
    methods: tuple[str, ...] = ()
    skips: int = 0
    unbound: bool = False
    own: tuple[str, ...] = ()
    typed: bool = False
    answered: tuple[str, ...] = ()
    act: str = ""
    ending: str = ""


class Knowledge(msgspec.Struct, frozen=True):
    """Tables by dotted name, values in the notation of :mod:`backaudit.project.types`.

    ``returns``: what a call gives; ``attributes``: what an attribute or a library's name is; ``aliases``: other names
    of the same thing (re-exports), to the name that the tables use, of all that a module has if they end in ``.*``;
    ``handovers``: calls that have a function run; ``bases``: what a library's classes are derived from.
    """

    returns: dict[str, str] = {}
    attributes: dict[str, str] = {}
    aliases: dict[str, str] = {}
    parameters: tuple[ParameterConvention, ...] = ()
    handovers: dict[str, Handover] = {}
    bases: dict[str, tuple[str, ...]] = {}

    def known_as(self, name: str) -> str:
        """The name that the tables use for what code spells ``name``."""
        found = self.aliases.get(name)
        if found is not None:
            return found
        module, _, last = name.rpartition(".")
        whole = self.aliases.get(f"{module}.*", "")
        return f"{whole[:-1]}{last}" if whole else name


Arguments = tuple[int | str, ...]


class ResponseModel(msgspec.Struct, frozen=True):
    """A call that makes an answer to the client, or an exception that becomes one.

    ``status`` and ``body`` are the arguments that give them, by position or keyword; ``default`` is the status if none
    is given. ``raises``: calling it ends the request (``flask.abort``), or it is an exception. ``writes``: calling it
    sends the body, whatever is returned (``self.write(…)``).
    """

    status: Arguments = ()
    body: Arguments = ()
    default: int = 200
    raises: bool = False
    writes: bool = False


class ReadModel(msgspec.Struct, frozen=True):
    """A call (or attribute) that reads one thing of the request.

    ``where`` it stands (path, query, header, cookie, form, body, file); ``name``, ``default`` and ``type`` are the
    arguments that give them, by position or keyword; ``key``: a name that is always the same; ``converts``: the type
    that it gives; ``required``: the request fails without it, unless a default is given.
    """

    where: str
    name: Arguments = ()
    default: Arguments = ()
    type: Arguments = ()
    key: str = ""
    converts: str = ""
    required: bool = False


class DeclareModel(msgspec.Struct, frozen=True):
    """A decorator's arguments that declare an answer: ``status``, ``model``, and ``table`` from status to model."""

    status: Arguments = ()
    model: Arguments = ()
    table: Arguments = ()
    default: int = 0


class SchemaModel(msgspec.Struct, frozen=True):
    """How a library declares input schemas: classes below ``bases`` or under ``decorators``.

    ``style``: a field is an annotation, or a call of a class of ``fields`` (which map to shapes, in the notation of
    ``[shapes]``, with ``read``, ``private`` and ``column`` beside). ``extra``: what becomes of unknown fields.
    ``required``: whether fields made by calls have to be sent unless they say otherwise. ``form``: takes form data.
    ``meta``: inner classes that name a model and its columns; ``columns``: bases that take over all columns.
    ``sparse``: what the client left out is no key of the mapping that is made; ``fills``: methods of a schema, or
    decorators of them, that may put keys in or ask for them. ``data``: the argument that gives an object what it
    checks, without which it is given nothing; ``several``: the one that says that a list is given; ``loads``: objects
    check what they are called to load. ``pydantic``: fields are pydantic's, whose first argument is the default.
    ``bare``: a field needs no annotation. Where fields are ``required``: ``spared``, arguments by which one may be left
    out all the same, and ``spared_kinds``. ``choosing``: fields whose first argument is their choices. ``shows_keys``:
    columns that the database fills are fields that are only read. ``values``: a schema in a field is a value, no
    class. ``views``: classes of views that make a form of a model.
    """

    bases: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    style: Literal["annotations", "calls"] = "annotations"
    extra: Literal["ignore", "forbid", "allow"] = "ignore"
    required: bool = False
    form: bool = False
    meta: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    sparse: bool = False
    fills: tuple[str, ...] = ()
    data: Arguments = ()
    several: Arguments = ()
    loads: bool = False
    pydantic: bool = False
    bare: bool = False
    spared: Arguments = ()
    spared_kinds: tuple[str, ...] = ()
    choosing: tuple[str, ...] = ()
    shows_keys: bool = False
    values: bool = False
    views: tuple[str, ...] = ()
    fields: dict[str, str] = {}


class Applying(msgspec.Struct, frozen=True, rename={"notation": "as"}):
    """A call, or decorator, that checks input: ``schema``, the argument that gives the schema, in ``notation``.

    ``where`` it is looked for; ``places``: arguments, or parameters of the handler, that each give a schema for one
    place instead. ``switch``: the keyword without which it only documents, given to the call itself or to what
    ``makes`` the application or its parts; ``setting`` switches it on for all.
    """

    schema: Arguments = ()
    notation: str = "class"
    where: str = "body"
    places: dict[str, str] = {}
    switch: str = ""
    makes: list[str] = []
    setting: str = ""


class SecurityModel(msgspec.Struct, frozen=True):
    """A scheme: ``kind`` is bearer, basic, digest, oauth2 or key; a key stands in ``where`` under ``key``.

    ``name`` and ``url`` are the arguments of the call that give a key's name, and the address of tokens.
    """

    kind: str
    where: str = ""
    key: str = ""
    name: Arguments = ()
    url: Arguments = ()


class OpenPages(msgspec.Struct, frozen=True):
    """Pages that a library opens to everybody: ``what`` they show, the ``setting`` or ``argument`` that closes them."""

    what: str
    setting: str = ""
    argument: str = ""


class OrmModel(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """What tells one ORM from another.

    How tables are declared, where a class of ``models`` does it by calls in its body: ``fields``, endings of the
    names of the calls that declare columns; ``keys``, ``many``, ``primary``: those of foreign keys, of many to
    many, of keys. ``key-suffix``: what the column of a foreign key has behind the attribute's name. ``options``:
    the inner classes, or the fields with a call, that hold the table's options, among them its name under one of
    ``named``; ``table-suffix``: what a table has behind the class's name where no name is given;
    ``inherited-options`` are taken over from bases. ``bases-have-no-table``: a class that others extend and that
    names no table is none. ``snake``: the table has the class's name in snake case; ``snake-unless``: where that
    option is set to False. ``nullable-keys``: foreign keys may be null unless they say so; ``nullable-defaults``:
    so may columns with a default. ``typed``: the first argument of a field is its type, which of a key is the other
    model; ``optional``: the fields that may then be null, but for texts. ``text-length``: that of a text for which
    none is given. Of one whose classes are declared as SQLAlchemy's: ``below`` which they stand; ``asked-by``, the
    keyword of a class that wants a table; ``unnamed``, how a table is called of which the class says no name.
    ``between``: how the table between many and many is named (``through`` an option, ``sorted`` names of both
    tables, a ``pair`` of the models' names, or their ``plural``), which has a key of its own if ``sorted`` or
    ``plural``.

    How rows are asked for: ``queries`` by keywords or by expressions; ``follows-keys``: a key's attribute has those
    of the row it leads to (``Boat.owner.email``), and ``spares-joins`` where only that row's key is meant;
    ``operators`` beside comparisons, to the form of the look-up.
    ``asks-anew``: a call on a relation asks the database, whatever was fetched with the rows.
    ``batches-relations``: a relation that is read of one row is fetched for all rows that came with it.
    ``written``: conditions are functions of a row or generators over a model. ``keeps-rows``: a session asks once
    for a row, whatever leads to it. ``lazy``: a single row is only asked for when it is awaited. ``indexes-keys``:
    foreign keys have an index by themselves. ``refuses-compared``: what a column is compared with is made its type;
    what cannot be one raises this, a number ``ValueError``. ``refuses-text``: what it raises where a text that is
    no UUID is compared with a column of UUIDs in an expression; ``refuses-by-server``: what it raises where PostgreSQL
    itself refuses a text that is no number or date. ``refuses-lists``: what it raises where a list is
    compared with a column that holds none. ``refuses-long``: what it raises of itself for a text longer than its
    column; ``refuses-negative``: for a page below zero, ``refuses-slices``: where it is asked
    for by a slice of the query. ``keeps-as-text``: the columns whose values it hands to the database as they are.
    ``complete``: its models say which tables there are, whatever migrations do. ``on-delete``: what becomes of the
    rows that refer to one which is deleted, where a key does not say so. ``removes-itself``: the library sees to
    that, not the database; ``clears-keys``: a session sets the keys of related rows to null. ``holds-keys``: foreign
    keys are held by SQLite as well, which otherwise has to be told to.

    What is advised, with ``{model}``, ``{attribute}``, ``{fields}``, ``{columns}``, ``{index}``, ``{relation}``: an
    ``index`` over one column, ``index-foreign`` where the table is a library's, with ``descending`` before a field that
    is sorted downwards; how a relation is ``loaded`` with its rows, and one to many (``loaded-many``) where that
    differs; ``rollout``, how an index comes to a large table. ``index-argument``: the one of a column that gives it an
    index; ``plain-column``: what is called for a column that is declared by its type alone. An index over several
    columns is ``index-element`` in what the class lists as ``index-option``, within ``index-brackets``, and needs what
    ``index-import`` names; ``index-many`` is said instead where a class has no such list.
    """

    models: tuple[str, ...] = ()
    fields: tuple[str, ...] = ("Field",)
    keys: frozenset[str] = frozenset({"ForeignKeyField", "OneToOneField"})
    many: frozenset[str] = frozenset({"ManyToManyField"})
    primary: frozenset[str] = frozenset()
    key_suffix: str = "_id"
    options: frozenset[str] = frozenset({"Meta"})
    table_suffix: str = ""
    named: tuple[str, ...] = ("table", "table_name", "db_table")
    inherited_options: frozenset[str] = frozenset()
    bases_have_no_table: bool = False
    snake: bool = False
    nullable_keys: bool = False
    nullable_defaults: bool = False
    snake_unless: str = ""
    typed: bool = False
    optional: frozenset[str] = frozenset()
    text_length: int = 0
    below: tuple[str, ...] = ()
    asked_by: str = ""
    unnamed: Literal["", "snake", "lower"] = ""
    between: Literal["through", "sorted", "pair", "plural"] = "through"
    queries: Literal["keywords", "expressions"] = "expressions"
    follows_keys: bool = False
    spares_joins: bool = False
    written: bool = False
    batches_relations: bool = False
    operators: dict[str, Literal["in", "like"]] = {}
    asks_anew: bool = False
    keeps_rows: bool = False
    lazy: bool = False
    indexes_keys: bool = False
    refuses_compared: str = ""
    refuses_text: str = ""
    refuses_by_server: str = ""
    refuses_lists: str = ""
    refuses_long: str = ""
    refuses_negative: str = ""
    refuses_slices: str = ""
    keeps_as_text: tuple[str, ...] = ()
    complete: bool = False
    on_delete: str = ""
    removes_itself: bool = False
    clears_keys: bool = False
    holds_keys: bool = False
    descending: str = ""
    index: str = ""
    index_many: str = ""
    index_foreign: str = ""
    index_argument: str = ""
    plain_column: str = ""
    index_element: str = ""
    index_option: str = ""
    index_brackets: Literal["[]", "()"] = "[]"
    index_import: str = ""
    loaded: str = ""
    loaded_many: str = ""
    rollout: str = ""


class StoreModel(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """How a library of documents declares collections by classes, those of the kind ``NAME-documents``.

    ``of-calls``: it has no classes, only a driver's calls. ``options``: the field that holds a class's options, and
    ``settings``: whether inner classes hold them as well; ``named``: the option that names the collection, else it is
    called after the class as ``default-name`` says (its name, in snake case, or that without ``Model`` at its end).
    ``fields``: declared by calls or by annotations. ``shared``: classes below stand in their parent's collection.
    ``registered``: the call that lists the only classes which have one. ``lazy``: the fields by which another document
    is fetched when they are read. ``index``: what is advised, with ``{field}``, ``{model}``, ``{name}``.
    """

    of_calls: bool = False
    options: str = "model_config"
    settings: bool = True
    named: str = "collection"
    default_name: Literal["class", "snake", "snake-without-model"] = "class"
    fields: Literal["calls", "annotations"] = "annotations"
    shared: bool = False
    registered: str = ""
    lazy: tuple[str, ...] = ()
    index: str = ""


class FrameworkModel(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """What a web framework does of itself, by the name that its routes have.

    ``typed``: every declared parameter is held against its type, and what does not fit is refused (422, where
    ``refuses-with`` says so), and by which exception (``refuses-by``). ``refuses-broken-bodies``: what a body that is
    no JSON is answered with, in a sentence.
    ``hashes``: the hasher by which it stores passwords of itself.
    ``checks-answers``: what a handler returns is held against the model it declares.
    ``injects-classes``: the class that holds a handler is made with what is injected. ``serialises``: objects that a
    handler returns are sent with all their fields; ``texts-are-html``: texts as HTML. ``names-groups``: a router is
    given a name for its group; ``groups-by-folder``: handlers are grouped by the folder of their app.
    ``forms-unprotected``: forms of a session are protected by an extension alone; ``forms-by-middleware``: by a
    middleware of the library, where it is installed. ``ties-view``, ``ties-look-up``:
    how a row is tied to its owner (``{field}``), in a class view and in a look-up. ``guards-one``, ``guards-all``,
    ``limits-logins``: what is advised where a route, or all, ask nobody who calls, and where a login is tried for ever.
    ``settings-start``: a program is started by the name of its settings, not of an application.
    ``not-found``: the statement that answers 404, with the name that it imports (``not-found-import``); ``row-or-404``:
    the function that is given a model and the conditions of a look-up, and answers 404 where there is no such row.
    Of one that makes an OpenAPI document of the code: how a route ``says-answers`` and ``says-refusals``, in words,
    the arguments by which it ``tells-purpose``, and the one by which it ``hides-routes``. ``pairs-are-lists``: a pair
    that a handler returns is no body with its status, but a list. ``path-by-keyword``: a handler is handed all that
    its path names, by that name. ``succeeds``: methods, to the status that tells of a success
    where the handler says none, and which is 200 elsewhere.
    """

    typed: bool = False
    refuses_with: int = 0
    refuses_by: str = ""
    refuses_broken_bodies: str = ""
    hashes: str = ""
    checks_answers: bool = False
    injects_classes: bool = False
    serialises: bool = False
    texts_are_html: bool = False
    names_groups: bool = False
    groups_by_folder: bool = False
    forms_unprotected: bool = False
    forms_by_middleware: bool = False
    ties_view: str = ""
    ties_look_up: str = ""
    guards_one: str = ""
    guards_all: str = ""
    limits_logins: str = ""
    settings_start: bool = False
    not_found: str = ""
    not_found_import: str = ""
    row_or_404: str = ""
    says_answers: str = ""
    says_refusals: str = ""
    tells_purpose: tuple[str, ...] = ()
    hides_routes: str = ""
    pairs_are_lists: bool = False
    path_by_keyword: bool = False
    succeeds: dict[str, int] = {}


class ClientModel(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """How a test asks an application of a framework, as lines and expressions of Python.

    ``imports``: those of the library, ``{app}`` being the application; ``before``: lines that stand above the import of
    the application, ``{module}`` being its settings; ``fixture``: the body of the fixture that gives the client.
    ``call``: what sends a request; it is given the method (behind the path, where ``method`` says by which keyword),
    the path, and what of ``json``, ``form``, ``raw`` (``{body}``), ``kind`` (``{kind}``: the content type) and
    ``headers`` (``{headers}``) there is. ``text``: the answer's body.
    ``over``: the framework whose routes are asked so where the library of this name serves them. ``login``: what lets a
    caller in; ``stand_in``: what replaces a ``{guard}`` of ``{app}`` by what gives ``{caller}``; ``row``: what makes a
    row (of ``{model}``, with ``{values}``); ``making``: the functions that all of them call, and ``making_imports``:
    what these need.
    """

    imports: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    fixture: tuple[str, ...] = ()
    call: str = ""
    method: str = ""
    json: str = ""
    form: str = ""
    raw: str = ""
    kind: str = ""
    headers: str = ""
    text: str = ""
    over: str = ""
    login: str = ""
    stand_in: str = ""
    row: str = ""
    making: str = ""
    making_imports: tuple[str, ...] = ()


class PlatformModel(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """A service that runs an application from the repository.

    ``title``: as people call it. ``files``: patterns of the paths of its own files. ``port``: what says on which port
    the application has to listen, a variable that it sets or a key of its file; empty where that is nobody's concern.
    """

    title: str
    files: tuple[str, ...] = ()
    port: str = ""


class Kinds(dict[str, frozenset[str]]):
    """Groups of names by what they are asked for. One that no table defines is a mistake of whoever asks."""

    def __missing__(self, kind: str) -> frozenset[str]:
        if self:
            raise KeyError(f"no table of a library defines the kind {kind!r}")
        return frozenset()

    def known(self, kind: str) -> frozenset[str]:
        """A group whose name is made of what the scanned code says; empty where no table has it."""
        return super().get(kind, frozenset())

    def get(self, kind: str, default: Any = None) -> frozenset[str]:
        """As ``[]``: there is nothing to fall back to."""
        return self[kind]


class Words(dict[str, dict[str, str]]):
    """What libraries call things, to what each means. A group that no table defines is a mistake of whoever asks."""

    def __missing__(self, group: str) -> dict[str, str]:
        if self:
            raise KeyError(f"no table of a library defines the words {group!r}")
        return {}


class SettingModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A setting of a framework: its value where nobody sets it, and what is advised, as code writes it."""

    default: bool | int | str | tuple[str, ...]
    better: str = ""


class BroughtColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column that a library's class brings along; ``few``: it has few values; ``to``: the model that it leads to, as
    ``label.Model``, by an attribute of this name. ``key``: it is the rows' own; ``indexed``: an index is made for it.
    """

    name: str
    type: str = "AutoField"
    to: str = ""
    length: int | None = None
    nullable: bool = False
    unique: bool = False
    few: bool = False
    key: bool = False
    indexed: bool = False
    default: bool = False


class BaseModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A class of a library that models are derived from, or a model of its own: the ``columns`` it brings, and the
    fields to ``many`` rows, each to their model and, where they are told, the names by which that leads back.

    ``user``: those who log in are of it. ``table``: that of the library's own model; ``unique``: columns whose values
    are unique together; ``few``: its rows are few, as a table's that comes filled. ``called``: the table of a model
    that names none; ``unnamed``: how it is made of the class's name.
    """

    columns: tuple[BroughtColumn, ...] = ()
    many: dict[str, str] = {}
    user: bool = False
    table: str = ""
    unique: tuple[tuple[str, ...], ...] = ()
    few: bool = False
    called: str = ""
    unnamed: Literal["", "snake"] = ""


class Models(msgspec.Struct, frozen=True, dict=True):
    """All tables of all libraries, joined: names, to what the sections of ``models`` say of them."""

    knowledge: Knowledge = Knowledge()
    sources: dict[str, str] = {}
    sinks: dict[str, dict[str, Arguments]] = {}
    propagates: dict[str, Arguments] = {}
    cleans: dict[str, frozenset[str]] = {}
    guards: dict[str, frozenset[str]] = {}
    hashers: dict[str, str] = {}
    raises: dict[str, tuple[str, ...]] = {}
    kinds: Kinds = msgspec.field(default_factory=Kinds)
    exceptions: dict[str, str] = {}
    responses: dict[str, ResponseModel] = {}
    routing: dict[str, Mapping[str, Any]] = {}
    reads: dict[str, ReadModel] = {}
    declares: dict[str, DeclareModel] = {}
    schemas: dict[str, SchemaModel] = {}
    shapes: dict[str, str] = {}
    columns: dict[str, str] = {}
    limits: dict[str, dict[str, str]] = {}
    applies: dict[str, Applying] = {}
    applies_around: dict[str, Applying] = {}
    security: dict[str, SecurityModel] = {}
    library_forms: dict[str, dict[str, str]] = {}
    orms: dict[str, OrmModel] = {}
    stores: dict[str, StoreModel] = {}
    open_pages: dict[str, OpenPages] = {}
    frameworks: dict[str, FrameworkModel] = {}
    clients: dict[str, ClientModel] = {}
    callbacks: dict[str, Callback] = {}
    scalars: dict[str, str] = {}
    platforms: dict[str, PlatformModel] = {}
    languages: dict[str, str] = {}
    advice: dict[str, str] = {}
    safer: dict[str, str] = {}
    bound: dict[str, MarkStyle] = {}
    words: Words = msgspec.field(default_factory=Words)
    forms: dict[str, dict[str, Form]] = {}
    lengths: dict[str, int] = {}
    settings: dict[str, SettingModel] = {}
    brings: dict[str, BaseModel] = {}

    @cached_property
    def packages(self) -> frozenset[str]:
        """The packages of which a table speaks, by the names that they are imported by."""
        groups = (self.kinds[kind] for kind in self.kinds)
        named = (*self.knowledge.returns, *self.responses, *self.routing, *self.sources, *self.reads, *self.declares)
        return frozenset(name.partition(".")[0] for name in (*named, *chain.from_iterable(groups)) if "." in name)

    def framework(self, name: str) -> FrameworkModel:
        """What a framework does of itself; nothing, if no table says."""
        return self.frameworks.get(name, _NO_FRAMEWORK)


_NO_FRAMEWORK = FrameworkModel()
