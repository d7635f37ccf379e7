"""Answers that tell of a failure and have the status of a success."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from backaudit.analyses.errors.enveloped import failure_code
from backaudit.analyses.errors.failing import failed_for, is_caught
from backaudit.analyses.errors.requests import of_answer
from backaudit.backend.access.denial import keeps_from_view
from backaudit.backend.access.missing import chain as links_of
from backaudit.backend.access.missing import none_giving
from backaudit.backend.data.schema import schema
from backaudit.backend.web.bodies import Pairs, pairs_at
from backaudit.backend.web.exception_texts import exception_text
from backaudit.backend.web.makers import response_model
from backaudit.backend.web.responses import (
    Answer,
    answering,
    answers,
    error_handlers,
    literal_text,
    pairs_of,
)
from backaudit.backend.web.routes import by_handler, client_input
from backaudit.backend.web.statuses import status_of
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.flow.client import client_origin
from backaudit.project import Code, Node, Project
from backaudit.project.operands import made_of, walk
from backaudit.project.types import split
from backaudit.rule import KNOWN, Assumed, Finding, assume
from backaudit.vocabulary.meaning import meaning

_OK = 200
_ERROR_KEYS = meaning("failures", "error-key")
_BY_ITS_TEXT = assume("word", "the text says that the request has failed")
_BY_ITS_KEY = assume("word", "the key says that the request has failed")
_CALLED_FINE = assume("purpose", "it has failed, though the body says that it went well")
_ITS_OWN_WAY = assume("purpose", "the page that is sent does not look itself for what the address names")
_TEXT_KEYS = meaning("failures", "text-key")
_FLAG_KEYS = meaning("failures", "flag-key")
_STATE_KEYS = meaning("failures", "state-key")
_CODE_KEYS = meaning("failures", "code-key")
_BAD_STATES = meaning("failures", "bad-state")
_GOOD_STATES = meaning("failures", "good-state")
_FAILURE = meaning("failures", "failure-text")
_SUCCESS = meaning("failures", "success-text")
_PROBE = meaning("failures", "probe")
_ERROR_PAGE = meaning("failures", "error-page")
_ENVELOPE = (_ERROR_KEYS, _TEXT_KEYS, _FLAG_KEYS, _STATE_KEYS, _CODE_KEYS, meaning("failures", "envelope-key"))


def findings(project: Project) -> Iterator[Finding]:
    """Each answer whose body tells of a failure and whose status tells of success."""
    final = answering(project) | project.once(_making_bodies)
    for file in project.files.values():
        if file.role != "production":
            continue
        for index, _ in enumerate(file.facts.functions):
            code = file.code(index)
            if code in final:
                yield from _answers(project, code)
    yield from _pages(project)


def _making_bodies(project: Project) -> frozenset[Code]:
    """The functions whose result is the whole body of a 200, whatever it says: nothing is asked of it before."""
    found: set[Code] = set()
    for code in answering(project):
        for answer in answers(project, code):
            if answer.how == "return" and answer.status == _OK and len(answer.body) == 1:
                made = answer.body[0].origin.awaited
                asked = any(made in made_of(code.node(test)) for test in _asked_before(code, answer.value))
                found.update(() if asked or made.call is None else project.callees(made))
    return frozenset(found)


def _asked_before(code: Code, at: Value) -> list[Value]:
    return [region.test for region in code.body.regions if NONE != region.test < at]


def _answers(project: Project, code: Code) -> Iterator[Finding]:
    if _sets_status(project, code) or _makes_page(project, code) or _is_probe(project, code) or _of_exception(code):
        return
    told: set[int] = set()
    for answer in answers(project, code):
        if answer.how != "return" or answer.value in told:
            continue
        reason = _reason(project, answer)
        if reason is not None:
            told.add(answer.value)
            message, assumed = reason
            yield Finding(
                place=answer.place.first_line(),
                message=message,
                assumed=assumed,
                request=of_answer(project, answer.node, answer.status or 200),
            )


def _of_exception(code: Code) -> bool:
    """Whether it is an exception that tells of itself: whoever catches it decides on the status."""
    return code.cls is not None and code.project.inherits(code.cls.name, "builtins.Exception")


def _is_probe(project: Project, code: Code) -> bool:
    paths = [route.path for route in project.once(by_handler).get(code, ())]
    return any(_PROBE.holds(text) for text in (code.function.name, *paths))


def _sets_status(project: Project, code: Code) -> bool:
    """Whether the body sets a status on a response that it is given or has made."""
    stores = [op for op in code.ops if isinstance(op, ops.SetAttr) and op.name in ("status_code", "status")]
    others = [store.base for store in stores if not _is_self(code, store.base)]
    called = any(code.calls_of("set_status", "setStatus"))
    return called or not all(_is_row(project, code.node(base)) for base in others)


def _is_row(project: Project, node: Node) -> bool:
    """Whether an object is a row or another object of the project's own, whose status is a column."""
    models = {table.model for table in schema(project).tables.values() if table.model}
    types = [split(name)[0] for name in project.types(node)]
    if types:
        return any(not models.isdisjoint(project.lineage(name)) for name in types)
    return any(call in project.once(none_giving) for call in links_of(node.origin))


def _is_self(code: Code, value: int) -> bool:
    op = code.ops[code.origin(value)]
    return isinstance(op, ops.Param) and op.index == 0


def _makes_page(project: Project, code: Code) -> bool:
    """Whether what it returns is the context of a page."""
    names = {name for decorator in code.decorators for name in project.names(decorator)}
    return any(name.rpartition(".")[2] in ("template", "view_config", "render_to", "view_defaults") for name in names)


def _reason(project: Project, answer: Answer) -> tuple[str, Assumed] | None:
    misplaced = _pair_status(project, answer) or _returned_exception(project, answer)
    if misplaced is not None:
        return misplaced
    if answer.status is None or not 200 <= answer.status < 300 or answer.status == 202:
        return None
    if _ends_error(project, answer):
        handled = ", ".join(name.rpartition(".")[2] for name in dict(project.once(error_handlers))[answer.node.code])
        meant = _ITS_OWN_WAY if _is_file(project, answer) else KNOWN
        return f"The error handler for {handled} answers with status {answer.status}.", meant
    return None if _is_template(answer.maker) else _said_or_done(project, answer)


def _said_or_done(project: Project, answer: Answer) -> tuple[str, Assumed] | None:
    """What the body says of a failure, or on which way of the handler it is sent."""
    own = list(chain.from_iterable(_ways(body) for body in answer.body if body.code is answer.node.code))
    said = next((failure for part in own if (failure := _failure(project, part, answer.value)) is not None), None)
    happened = failed_for(project, answer)
    if said is not None:
        what, assumed = said
        return f"The failure ({what}) is answered with status {answer.status}.", KNOWN if happened else assumed
    if is_caught(answer) and (
        _asks_exception(answer) or any(exception_text(project, p) is not None for p in answer.body)
    ):
        return f"What the handler caught is answered with status {answer.status}.", KNOWN
    # What says that something was made is no answer to a failure.
    unsaid = _told_without_result(project, own, answer) if happened and answer.status != _CREATED else None
    if unsaid is None:
        return None
    known = KNOWN if _keeps_from_view(answer) else assume("purpose", "this is no answer that the request asked for")
    return f"Where {happened}, {unsaid} is answered with status {answer.status}.", known


def _ways(body: Node) -> list[Node]:
    """The values that a body has on the ways that lead to an answer: ``result = {…}`` here, or there."""

    def others(node: Node) -> tuple[Value, ...]:
        op = node.op
        if isinstance(op, ops.Choice):
            return (op.then, op.other)
        return op.values if isinstance(op, ops.Phi) else ()

    return [node for node in walk(body.origin, others) if not others(node)]


def _told_without_result(project: Project, body: list[Node], answer: Answer) -> str | None:
    """What a body holds in which there is nothing but words, or a no; None if there is more, or success is told."""
    node = _only_item(body[0].origin) if len(body) == 1 else None
    if node is None:
        return None
    if node.const is False and _acts(project, node.code):
        return "False"
    pairs = pairs_at(node, answer.value, _fields_of(project, node))
    if pairs is None:
        text = literal_text(node)
        return _quoted(text) if text else None
    texts = [literal_text(value) for key, value in pairs.items() if _TEXT_KEYS.holds(key)]
    said = next((text for text in texts if text), None)
    return _quoted(said) if said and not any(_is_result(key, value) for key, value in pairs.items()) else None


def _quoted(text: str) -> str | None:
    is_sentence = " " in text.strip() and len(text) < _LONGEST and "<" not in text
    return f'"{text[:60]}"' if is_sentence and not _SUCCESS.holds(text) else None


def _acts(project: Project, code: Code) -> bool:
    """Whether a route is asked to do something, not whether something is so."""
    methods = [route.methods for route in project.once(by_handler).get(code, ())]
    return bool(methods) and all(names and "GET" not in names for names in methods)


def _keeps_from_view(answer: Answer) -> bool:
    """Whether a decorator of the project's own answers in place of the view."""
    return answer.node.code.enclosing is not None and keeps_from_view(answer.node)


def _ends_error(project: Project, answer: Answer) -> bool:
    """Whether the answer is made by a handler of errors, not the error itself, nor what answers 200 by its contract."""
    op = answer.node.op
    by_exception = isinstance(op, ops.Return) and _is_of_exception(project, answer.node.to(op.value))
    by_contract = any("jsonrpc" in (pairs_of(part.origin) or {}) for part in answer.body)
    is_handler = any(code is answer.node.code and caught for code, caught in project.once(error_handlers))
    return is_handler and not by_exception and not by_contract


def _is_of_exception(project: Project, given: Node) -> bool:
    """Whether an answer is the exception itself, what that makes of itself, or what another handler of errors gives."""
    made = given.origin
    while made.call is not None and "typing.cast" in project.names(made.to(made.call.func)):
        inner = made.arg(1, "val")
        if inner is None:
            return False
        made = inner.origin
    if isinstance(made.op, ops.Param) or _is_own_answer(made):
        return True
    receiver = made.receiver
    handlers = {code for code, caught in project.once(error_handlers) if caught}
    by_itself = receiver is not None and isinstance(receiver.origin.op, ops.Param)
    return by_itself or not handlers.isdisjoint(project.callees(made)) or _is_left_to_library(project, made)


def _is_own_answer(made: Node) -> bool:
    """``error.response``: the answer that the exception has brought."""
    return isinstance(made.op, ops.Attr) and isinstance(made.to(made.op.base).origin.op, ops.Param)


def _is_left_to_library(project: Project, made: Node) -> bool:
    """``api.handle_error(error)`` of a library: it makes the answer of the exception, as it was told."""
    if made.call is None or project.callees(made) or response_model(project, made) is not None:
        return False
    return any(isinstance(given.origin.op, ops.Param) for given in made.args()) and made.receiver is not None


def _is_file(project: Project, answer: Answer) -> bool:
    """Whether what is sent is a file as it is: the page of an application that runs in the browser."""
    op = answer.node.op
    made = answer.node.to(op.value).origin if isinstance(op, ops.Return) else answer.node
    if made.is_call_of("streamed-responses"):
        return True
    return any(_is_read_from_file(project, given) for given in made.args())


def _is_read_from_file(project: Project, given: Node) -> bool:
    called = (call.func for call in links_of(given))
    readers = project.models.kinds["file-readers"]
    return any(func is not None and not readers.isdisjoint(project.names(func)) for func in called)


def _asks_exception(answer: Answer) -> bool:
    """Whether the answer is what a method of the caught exception gives (``return error.to_json()``)."""
    op = answer.node.op
    given = [answer.node.to(op.value)] if isinstance(op, ops.Return) else []
    return any(
        made.call is not None and made.receiver is not None and isinstance(made.receiver.origin.op, ops.Caught)
        for made in (node.origin for node in (*given, *answer.body))
    )


def _is_template(maker: str) -> bool:
    last = maker.rpartition(".")[2]
    return last in ("render", "render_template", "render_template_string", "TemplateResponse", "redirect")


def _pair_status(project: Project, answer: Answer) -> tuple[str, Assumed] | None:
    """An error status in the wrong place: beside the body in FastAPI, inside ``jsonify``'s arguments in Flask."""
    op = answer.node.op
    value = answer.node.to(op.value).origin if isinstance(op, ops.Return) else answer.node
    frameworks = {route.framework for route in project.once(by_handler).get(answer.node.code, ())}
    lists = any(project.models.framework(name).pairs_are_lists for name in frameworks)
    pair = value.pair() if lists else None
    if pair is not None:
        status = _error_status(project, pair[1])
        if status is not None:
            return f"FastAPI answers this pair as a list with status 200: the {status} is only data.", KNOWN
    call = value.call
    lists = answer.maker in project.models.kinds["lists-its-arguments"] and not answer.stated
    if call is not None and lists and len(call.args) > 1:
        status = _error_status(project, value.to(call.args[-1]))
        if status is not None:
            return f"`jsonify` makes the {status} part of the body: the status stays 200.", KNOWN
    return None


def _error_status(project: Project, node: Node) -> int | None:
    status = status_of(project, node)
    return status if status is not None and 400 <= status < 600 else None


def _returned_exception(project: Project, answer: Answer) -> tuple[str, Assumed] | None:
    """An exception that is given back where it should be raised, by a framework that sends it as data."""
    if answer.maker not in project.models.kinds["sent-as-data"] or (answer.status or 0) < 400:
        return None
    name = answer.maker.rpartition(".")[2]
    return f"This {name} is returned, not raised: it is sent as data, with status 200, not {answer.status}.", KNOWN


def _failure(project: Project, node: Node, use: Value) -> tuple[str, Assumed] | None:
    """What in a body says that the request failed, and how sure that is."""
    node = node.origin
    pairs = pairs_at(node, use, _fields_of(project, node))
    if pairs is not None:
        return _failure_in(project, pairs)
    if node.call is not None:
        return _built_failure(project, node)
    if _are_errors(project, node):
        return f"`{node.spelled}`", KNOWN
    text = literal_text(_only_item(node))
    return (f'"{text[:60]}"', _BY_ITS_TEXT) if text and len(text) < _LONGEST and _says_failure(text) else None


def _failure_in(project: Project, pairs: Pairs) -> tuple[str, Assumed] | None:
    """What of a body's pairs says so; beside a result, errors are a part of it."""
    if "jsonrpc" in pairs:
        return None
    read = (_pair_failure(project, key, value) for key, value in pairs.items())
    found = [said for said in read if said is not None]
    if found or any(_STATE_KEYS.holds(key) and value.const is False for key, value in pairs.items()):
        texts = (literal_text(value) for value in pairs.values())
        found += [(f'"{text[:60]}"', _BY_ITS_TEXT) for text in texts if text is not None and _says_failure(text)]
    if not found or any(_is_result(key, value) for key, value in pairs.items()):
        return None
    what, assumed = min(found, key=lambda said: said[1] != KNOWN)
    fine = assumed is _BY_ITS_TEXT and any(_says_success(key, value) for key, value in pairs.items())
    return what, _CALLED_FINE if fine else assumed


def _says_success(key: str, value: Node) -> bool:
    """Whether a pair of a body says that all went well: there may only be nothing to show."""
    text = literal_text(value)
    good_state = text is not None and _STATE_KEYS.holds(key) and _GOOD_STATES.holds(text.lower())
    return good_state or (_FLAG_KEYS.holds(key) and value.const is True)


def _is_result(key: str, value: Node) -> bool:
    """Whether a pair is more than what is put around a result."""
    return not any(keys.holds(key) for keys in _ENVELOPE) and not _is_no_result(value)


def _fields_of(project: Project, node: Node) -> Pairs | None:
    """The fields that a schema or another object of the project's own is made with."""
    call = node.call
    if call is None or not any(True for _ in project.instances(node)):
        return None
    return {name.lower(): node.to(value) for name, value in call.keywords}


def _built_failure(project: Project, call: Node) -> tuple[str, Assumed] | None:
    """A body that a helper of the project builds, of a text that says what failed."""
    said = next((text for text in map(literal_text, call.args()) if text and _says_failure(text)), None)
    if said is not None and any(_builds_of_parameter(code) for code in project.callees(call)):
        return f'"{said[:60]}"', _BY_ITS_TEXT
    return None


def _builds_of_parameter(code: Code) -> bool:
    """Whether a function gives back a text or a mapping made of what it is given."""
    built = [code.node(op.value).origin for op in code.ops if isinstance(op, ops.Return) and op.value != NONE]
    made = [node for node in built if isinstance(node.op, (ops.Bin, ops.Format)) or _is_display(node)]
    return bool(made) and any(isinstance(part.op, ops.Param) for node in made for part in made_of(node))


def _is_display(node: Node) -> bool:
    op = node.op
    return isinstance(op, ops.Build) or node.method in ("dict", "dumps", "format")


_LONGEST = 160
_CREATED = 201


def _is_no_result(value: Node) -> bool:
    """Whether a value beside a failure says nothing that the request had for a result: a literal, or what was sent."""
    project, op = value.code.project, value.origin.op
    if _is_empty(value) or isinstance(op, ops.Const):
        return True
    if isinstance(op, ops.Param) and client_input(project, value.code, op.index) is not None:
        return True
    return value.origin.call is None and client_origin(project, value, untyped=True) is not None


def _are_errors(project: Project, node: Node) -> bool:
    """Whether a value is what a form or serializer found wrong."""
    op = node.op
    if not isinstance(op, ops.Attr) or op.name != "errors":
        return False
    kinds = project.models.kinds
    owners = {owner for name in project.types(node.to(op.base)) for owner in project.lineage(split(name)[0])}
    return not owners.isdisjoint(kinds["schemas"] | kinds["forms"])


def _only_item(node: Node) -> Node:
    """Of ``{"not found"}`` and ``["not found"]``: the text."""
    op = node.op
    listed = isinstance(op, ops.Build) and op.kind in ("set", "list") and len(op.items) == 1
    return node.to(op.items[0]).origin if listed and isinstance(op, ops.Build) else node


def _pair_failure(project: Project, key: str, value: Node) -> tuple[str, Assumed] | None:
    text = literal_text(value)
    if _ERROR_KEYS.holds(key) and not _is_empty(value):
        unread = (
            _BY_ITS_KEY if _is_known(project, value) else assume("purpose", f"`{key}` holds a failure of this request")
        )
        return f"`{key}` in the body", KNOWN if text else unread
    if _FLAG_KEYS.holds(key) and value.const is False:
        return f"`{key}` is false in the body", assume("purpose", f"`{key}` speaks of this request")
    coded = failure_code(project, value) if _CODE_KEYS.holds(key) else None
    if coded is not None:
        return f"`{key}` is {coded[0]} in the body", coded[1]
    return _text_failure(key, text) if text is not None else None


def _text_failure(key: str, text: str) -> tuple[str, Assumed] | None:
    if _STATE_KEYS.holds(key) and _BAD_STATES.holds(text.lower()):
        return f'`{key}` is "{text}" in the body', KNOWN
    return (f'"{text[:60]}"', _BY_ITS_TEXT) if _TEXT_KEYS.holds(key) and _says_failure(text) else None


def _is_known(project: Project, value: Node) -> bool:
    """Whether a value surely holds an error text: made here, or given to a helper that makes such answers."""
    op = value.origin.op
    if isinstance(op, ops.Param):
        return value.code not in project.once(by_handler) and bool(project.callers(value.code))
    return isinstance(op, (ops.Build, ops.Bin)) or value.method in ("str", "format", "repr")


def _is_empty(value: Node) -> bool:
    op = value.origin.op
    return (isinstance(op, ops.Const) and not op.value) or (isinstance(op, ops.Build) and not op.items)


def _says_failure(text: str) -> bool:
    return _FAILURE.holds(text) and not _SUCCESS.holds(text)


def _pages(project: Project) -> Iterator[Finding]:
    """Error pages rendered with the default status."""
    registered = {code for code, _ in project.once(error_handlers)}
    for name in ("render", "render_template", "TemplateResponse"):
        for call in project.calls_of(name):
            code = call.code
            if code.file.role != "production" or code.function.kind != "function" or _sets_status(project, code):
                continue
            page = next((a.text for a in call.args() if a.text and _ERROR_PAGE.holds(a.text)), None)
            if page is not None and _returned_as_200(project, call) and _no_caller_adds(project, code, registered):
                yield Finding(
                    place=call.place.first_line(),
                    message=f"The error page `{page}` is sent with status 200.",
                )


def _returned_as_200(project: Project, call: Node) -> bool:
    for answer in answers(project, call.code):
        op = answer.node.op
        if isinstance(op, ops.Return) and answer.node.to(op.value).origin == call:
            return answer.status == 200
    return False


def _no_caller_adds(project: Project, code: Code, registered: set[Code]) -> bool:
    """Whether nobody who calls this function gives its page a status."""
    return code in registered or not any(
        isinstance(op, ops.Build) and op.kind == "tuple" and call.value in op.items
        for call in project.callers(code)
        for op in call.code.ops
    )
