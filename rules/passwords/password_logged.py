"""passwords/password-logged."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.passwords.shown import Shown
from backaudit.backend.data.queries import call_place
from backaudit.facts import ops
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Trace
from backaudit.project import Node, Project
from backaudit.project.code import SERVING
from backaudit.rule import Finding, Step, rule
from backaudit.vocabulary.names import means_database_address

# Migrations run where the service runs: what they print is kept with its logs.
_LOGGING = (*SERVING, "migration")


@rule("passwords/password-logged", severity="high", cwe=532, owasp=("A09:2025", "A09:2021", "API8:2023"))
def password_logged(project: Project) -> Iterator[Finding]:
    """A password is written to a log.

    Logs are kept for long, copied to other systems, and read by many who may not know the password: whoever gets at
    one line of them can log in as that user, or reach the database.

    Mend: log who did what (a user's id, the host of the database), never what proves it. Schemas keep a password as
    `SecretStr`, whose text is masked.

    Bad:
        import logging

        from flask import Flask, request

        app = Flask(__name__)
        logger = logging.getLogger(__name__)

        @app.post("/login")
        def login():
            username = request.form["username"]
            password = request.form["password"]
            logger.info("login of %s with %s", username, password)
            return "", 204

    Good:
        import logging

        from flask import Flask, request

        app = Flask(__name__)
        logger = logging.getLogger(__name__)

        @app.post("/login")
        def login():
            logger.info("login of %s", request.form["username"])
            return "", 204

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/532.html
    """
    for call in _log_calls(project):
        for argument in call.args():
            origin = next(Trace(project, _Logged(project)).origins(argument, (), call.value), None)
            if origin is not None:
                place = call_place(call)
                how = "printed" if call.method in ("print", "pprint") else "written to the log"
                yield Finding(
                    place=place,
                    message=f"{_upper(origin.what)}, and it is {how}.",
                    trace=(*origin.steps, Step(place, f"is {how}")),
                )
                break


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def _log_calls(project: Project) -> Iterator[Node]:
    """Calls that write a line for those who run the server."""
    kinds = project.models.kinds
    found = dict.fromkeys(project.calls("builtins.print", "pprint.pprint", *sorted(kinds["logs"])))
    for method in sorted(kinds["log-methods"]):
        found.update((call, None) for call in project.calls_of(method) if _speaks_of_log(call.receiver))
    return (call for call in found if project.role(call.code.path) in _LOGGING)


def _speaks_of_log(receiver: Node | None) -> bool:
    return receiver is not None and "log" in receiver.spelled.rpartition(".")[2].lower().replace("login", "")


class _Logged(Shown):
    """A password, or the address of a database with its password."""

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        if not access and _address(search.project, node):
            return f"`{_name(node)}` is the database's address with its password"
        if isinstance(node.op, ops.Bind) and search.project.role(node.code.path) != "production":
            return None  # a script tells whoever runs it the password that it made up
        return super().source(search, node, access)


def _name(node: Node) -> str:
    op = node.op
    key = node.to(op.args[0]).text if isinstance(op, ops.Call) and op.args else None
    return key or node.spelled or (op.name if isinstance(op, ops.Import) else "")


def _address(project: Project, node: Node) -> bool:
    op = node.op
    if isinstance(op, ops.Call):
        reads = node.method in ("get", "getenv", "environ", "config", "str")
        key = node.to(op.args[0]).text if op.args and reads else None
        default = node.arg(1, "default")
        return key is not None and means_database_address(key) and not _harmless(project, default)
    if isinstance(op, ops.Item):
        key = node.to(op.key).text
        return key is not None and means_database_address(key)
    if isinstance(op, (ops.Attr, ops.Name, ops.Import)) and means_database_address(op.name):
        return not _harmless(project, node) and not project.callees(node)
    return False


def _harmless(project: Project, node: Node | None) -> bool:
    """Whether the address is known, and has no password in it."""
    known = project.constant(node) if node is not None else None
    return known is not None and known.text is not None and "@" not in known.text
