"""An application under test, asked: reads a job as JSON on standard input, prints an answer a line.

    python served.py < job.json

A job has ``kind`` (``asgi``, ``flask``, ``django``), ``folder``, ``application`` (``module``, ``name``, ``called``),
``logins`` (requests by which a caller is known), ``guards`` (names of dependencies that ask who calls) and
``requests``. Each line of the answer has ``status``, ``raised`` (the exception's classes, the own first), ``frames``
(``[path, line]`` in the folder, outermost first), whether the line that raised is ``inside`` of it, and the beginning
of the ``body``. The first line says what was made ready.

The process is one to be thrown away: its home and database are temporary, sockets lead nowhere, time and memory are
limited. The script stands alone: it runs under the Python of the application, which knows nothing of backaudit.
"""

# mypy: ignore-errors
# ruff: noqa: BLE001 - whatever the application raises is what is asked for
from __future__ import annotations

import ast
import base64
import contextlib
import datetime
import decimal
import functools
import gc
import importlib
import inspect
import json
import os
import re
import resource
import signal
import socket
import sqlite3
import sys
import tempfile
import traceback
import uuid

import standins

MEMORY = 3 << 30
SECONDS = 900
EACH = 20
ROWS = 2
LOCAL_CACHE = "django.core.cache.backends.locmem.LocMemCache"
USERS = re.compile("user|usuari|account|member|customer|person", re.I)
CAUGHT = []
CLOSING = []
CONFIGURED = []  # The databases that Flask is configured with, before ours takes their place.


def main():
    job = json.load(sys.stdin)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    limit()
    sys.path.remove(os.path.dirname(os.path.abspath(__file__)))  # Modules beside this one are called as libraries are.
    standins.put_in_place()
    folder = os.path.realpath(job["folder"])
    root = os.path.join(folder, job["application"].get("folder") or "")
    os.chdir(root)
    sys.path[:0] = [root, folder]
    with_settings()
    client, said = KINDS[job["kind"]](job)
    print(json.dumps({"ready": said}), file=out, flush=True)
    kept = contents(folder)
    for request in job["requests"]:
        if request.get("fresh"):
            put_back(kept)
        print(json.dumps(asked(client, request, folder)), file=out, flush=True)
    os._exit(0)


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    real = socket.socket.connect

    def connect(self, address):
        if self.family == socket.AF_UNIX:
            return real(self, address)
        raise ConnectionRefusedError(111, "nothing answers in a sandbox")

    socket.socket.connect = connect
    socket.getaddrinfo = refused_name


def refused_name(*args, **kwargs):
    raise socket.gaierror(-2, "no names are known in a sandbox")


def with_settings():
    """Settings of pydantic that nobody gives are filled in by their types."""
    try:
        from pydantic import ValidationError
        from pydantic_settings import BaseSettings
    except ImportError:
        return
    make = BaseSettings.__init__

    def made(self, **given):
        for _ in range(3):
            try:
                return make(self, **given)
            except ValidationError as error:
                given = {**given, **{str(e["loc"][0]): setting(type(self), e) for e in error.errors()}}
        return make(self, **given)

    BaseSettings.__init__ = made


def setting(cls, error):
    field = cls.model_fields.get(str(error["loc"][0]))
    kind = str(getattr(field, "annotation", ""))
    if "algorithm" in str(error["loc"][0]).lower():
        return "HS256"
    if "Dsn" in kind or "Url" in kind:
        return "redis://localhost/0" if "Redis" in kind else "postgresql://user:pass@localhost/rows"
    if "int" in kind or "float" in kind:
        return 30
    if "bool" in kind:
        return False
    if "Email" in kind:
        return "someone@example.com"
    return [] if "list" in kind.lower() else "text-of-a-sandbox-0123456789abcdef0123"


def load(application):
    found = importlib.import_module(application["module"])
    if application["name"]:
        found = getattr(found, application["name"])
    return found() if application["called"] else found


def contents(folder):
    """What the databases hold, by file: those of our own, and those that the application has brought."""
    paths = [DATABASE, f"{DATABASE}.tortoise"]
    paths += [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]
    kept = {}
    for path in paths:
        if os.path.isfile(path) and is_database(path):
            kept[path] = sqlite3.connect(":memory:", check_same_thread=False)
            with contextlib.closing(sqlite3.connect(path)) as source:
                source.backup(kept[path])
    return kept


def is_database(path):
    with open(path, "rb") as file:
        return file.read(16).startswith(b"SQLite format 3")


def put_back(kept):
    for close in CLOSING:
        close()
    for path, content in kept.items():
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path, timeout=1)) as target:
            content.backup(target)


class TooLong(BaseException):
    pass


def over(number, frame):
    raise TooLong


def asked(client, request, folder):
    CAUGHT.clear()
    signal.signal(signal.SIGALRM, over)
    signal.alarm(EACH)
    try:
        status, body = client(request)
    except TooLong:
        return {"status": 0, "raised": ["TooLong"], "frames": [], "inside": True, "said": "", "body": ""}
    except Exception as error:
        CAUGHT.append(error)
        status, body = 0, ""
    finally:
        signal.alarm(0)
    error = CAUGHT[-1] if CAUGHT else None
    return {
        "status": status,
        "raised": [cls.__name__ for cls in type(error).__mro__[:-2]] if error is not None else [],
        "frames": frames(error, folder),
        "inside": innermost(error).startswith(folder + os.sep),
        "said": str(error)[:300] if error is not None else "",
        "body": body[:600],
    }


def innermost(error):
    """The file whose line raised; empty where nothing was raised."""
    found = traceback.extract_tb(error.__traceback__) if error is not None else ()
    return os.path.realpath(found[-1].filename) if found else ""


def frames(error, folder):
    """The lines of the folder by which the exception came, those of what it was raised from last."""
    found = []
    while error is not None:
        for frame in traceback.extract_tb(error.__traceback__):
            path = os.path.realpath(frame.filename)
            if "<" not in frame.filename and path.startswith(folder + os.sep) and "site-packages" not in path:
                found.append([os.path.relpath(path, folder), frame.lineno])
        error = error.__cause__ or (error.__context__ if not error.__suppress_context__ else None)
    return found


# -- values of rows ---------------------------------------------------------------------------------------------------


def text_of(name, number, length):
    name = name.lower()
    plain = number == ROWS
    if re.search("password|hash", name):
        return known_hash() or "text"
    if "mail" in name:
        text = "someone@example.com" if plain else f"someone{number}@example.com"
    elif "url" in name or "link" in name:
        text = f"https://example.com/{number}"
    elif "uuid" in name:
        text = str(uuid.UUID(int=number))
    elif re.search("(^|_)id$", name):
        text = str(number)
    else:
        text = "text" if plain else f"text{number}"
    return text[-length:] if length else text


def moment_of(number):
    """The second row's is the one that requests name."""
    return datetime.datetime(2030, 1, 31, 10) if number == ROWS else datetime.datetime(2024, 1, number)


def known_hash():
    """A password as the application has kept it, of whoever has registered."""
    for path in (DATABASE, f"{DATABASE}.tortoise"):
        if not os.path.isfile(path):
            continue
        with contextlib.closing(sqlite3.connect(path)) as base:
            for (table,) in base.execute("select name from sqlite_master where type = 'table'").fetchall():
                columns = [column for _, column, *_ in base.execute(f'pragma table_info("{table}")').fetchall()]
                for column in filter(re.compile("password|hash", re.I).search, columns):
                    found = base.execute(f'select "{column}" from "{table}" where "{column}" is not null').fetchone()
                    if found is not None:
                        return found[0]
    return hash_of_library()


def hash_of_library():
    """A hash by the library that the application has, where it has made none itself."""
    return tries(hash_by_bcrypt, hash_by_werkzeug)


def hash_by_bcrypt():
    import bcrypt

    return bcrypt.hashpw(b"Long-enough-9", bcrypt.gensalt(4)).decode()


def hash_by_werkzeug():
    from werkzeug.security import generate_password_hash

    return generate_password_hash("Long-enough-9", "pbkdf2:sha256")


def tries(*attempts):
    for attempt in attempts:
        with contextlib.suppress(Exception):
            return attempt()
    return None


# -- SQLAlchemy -------------------------------------------------------------------------------------------------------


DATABASE = os.path.join(tempfile.gettempdir(), f"rows-{os.getpid()}.sqlite3")


def on_sqlite():
    """Every engine is one of a temporary SQLite file; types of PostgreSQL alone are written as text or JSON."""
    try:
        import sqlalchemy
        from sqlalchemy.dialects import postgresql
        from sqlalchemy.ext.compiler import compiles
        from sqlalchemy.pool import NullPool
    except ImportError:
        return
    with contextlib.suppress(ImportError):
        import sqlalchemy.ext.asyncio  # it has to keep the real one
    kept = {"echo", "future", "json_serializer", "json_deserializer"}
    make = sqlalchemy.create_engine

    def create_engine(url, **options):
        engine = make(
            f"sqlite{'+aiosqlite' if 'async' in str(url) else ''}:///{DATABASE}",
            poolclass=NullPool,
            connect_args={"check_same_thread": False},
            **{name: value for name, value in options.items() if name in kept},
        )
        hold_keys(engine, url)
        return engine

    sqlalchemy.create_engine = create_engine
    sys.modules["sqlalchemy.engine"].create_engine = create_engine
    with contextlib.suppress(ImportError):
        import sqlmodel

        sqlmodel.create_engine = create_engine
    with contextlib.suppress(ImportError):
        import flask_sqlalchemy.extension

        flask_sqlalchemy.extension.sa.create_engine = create_engine
    with contextlib.suppress(ImportError):
        from sqlalchemy.ext import asyncio as apart

        make_async = apart.create_async_engine

        def create_async_engine(url, **options):
            engine = make_async(
                f"sqlite+aiosqlite:///{DATABASE}",
                poolclass=NullPool,
                **{name: value for name, value in options.items() if name in kept},
            )
            hold_keys(engine.sync_engine, url)
            return engine

        apart.create_async_engine = create_async_engine
        sys.modules["sqlalchemy.ext.asyncio.engine"].create_async_engine = create_async_engine
    for name in ("JSONB", "ARRAY", "INET", "HSTORE", "TSVECTOR", "CITEXT"):
        kind = getattr(postgresql, name, None)
        if kind is not None:
            compiles(kind, "sqlite")(lambda element, compiler, **options: "JSON")
    compiles(sqlalchemy.ARRAY, "sqlite")(lambda element, compiler, **options: "JSON")
    # What SQLite does not know it takes for a number, where it looks like one.
    for kind in filter(None, (getattr(sqlalchemy, "UUID", None), postgresql.UUID)):
        compiles(kind, "sqlite")(lambda element, compiler, **options: "CHAR(32)")
    compiles(sqlalchemy.BigInteger, "sqlite")(lambda element, compiler, **options: "INTEGER")


def hold_keys(engine, url):
    """SQLite refuses what refers to no row, unless the application's own database is one that does not."""
    from sqlalchemy import event

    configured = (CONFIGURED or [str(url)])[0]
    if "sqlite" not in configured or "rows.sqlite3" in configured:
        event.listen(engine, "connect", lambda raw, record: raw.execute("PRAGMA foreign_keys=ON"))


def tables_by_sqlalchemy():
    """Makes all tables of all models."""
    try:
        import sqlalchemy
    except ImportError:
        return
    engine = sqlalchemy.create_engine("sqlite://")
    for metadata in [one for one in gc.get_objects() if isinstance(one, sqlalchemy.MetaData)]:
        for table in tries(lambda metadata=metadata: metadata.sorted_tables) or ():
            with contextlib.suppress(Exception):
                table.create(engine, checkfirst=True)


def rows_by_sqlalchemy():
    """Two rows in each table, of which the second has the values that requests are made of."""
    try:
        import sqlalchemy
        from sqlalchemy.orm import Mapper
    except ImportError:
        return {}
    engine = sqlalchemy.create_engine("sqlite://")
    made = {}
    mappers = [one for one in gc.get_objects() if isinstance(one, Mapper)]
    with contextlib.suppress(Exception):
        sqlalchemy.orm.configure_mappers()
    order = {
        table: place for mapper in mappers for place, table in enumerate(mapper.local_table.metadata.sorted_tables)
    }
    for mapper in sorted(mappers, key=lambda one: order.get(one.local_table, 0)):
        table = mapper.local_table
        for number in range(1, ROWS + 1):
            values = {column.name: sqlalchemy_value(column, number) for column in table.columns}
            # An account that has logged in may have the key already: the row gets one of its own then.
            unkeyed = {name: value for name, value in values.items() if not table.columns[name].primary_key}
            if tries(*(functools.partial(inserted, engine, table, given) for given in (values, unkeyed))):
                made[mapper.class_.__name__] = made.get(mapper.class_.__name__, 0) + 1
    return made


def inserted(engine, table, values):
    with engine.begin() as connection:
        connection.execute(table.insert().values(values))
    return True


def sqlalchemy_value(column, number):
    import sqlalchemy as sa

    if column.foreign_keys:
        owned = any(re.search("user|account", key.target_fullname, re.I) for key in column.foreign_keys)
        return 1 if owned and not column.unique else number
    kind = column.type
    if isinstance(kind, sa.Enum):
        return (kind.enum_class and next(iter(kind.enum_class))) or kind.enums[0]
    default = column.default
    is_zero = default is not None and default.is_scalar and type(default.arg) in (int, float) and default.arg == 0
    if default is not None and default.is_scalar and not column.unique and not is_zero:
        return default.arg
    if isinstance(kind, sa.Boolean):
        return "admin" in column.name or "active" in column.name or "verified" in column.name
    by_type = {
        sa.Integer: number, sa.Numeric: decimal.Decimal(number), sa.Float: float(number),
        sa.DateTime: moment_of(number), sa.Date: moment_of(number).date(),
        sa.Time: datetime.time(10, number), sa.JSON: {}, sa.ARRAY: [], sa.LargeBinary: b"x",
        sa.Interval: datetime.timedelta(1),
    }  # fmt: skip
    found = next((value for known, value in by_type.items() if isinstance(kind, known)), None)
    if found is not None:
        return found
    if "uuid" in type(kind).__name__.lower():
        return uuid.UUID(int=number)
    return text_of(column.name, number, getattr(kind, "length", None))


def raise_by_sqlalchemy():
    """Every account may do all that an account may: it is active, verified, and an administrator's."""
    import sqlalchemy
    from sqlalchemy.orm import Mapper

    engine = sqlalchemy.create_engine("sqlite://")
    for mapper in [one for one in gc.get_objects() if isinstance(one, Mapper)]:
        if not USERS.search(mapper.class_.__name__):
            continue
        values = {column: highest(column) for column in mapper.local_table.columns}
        values = {column.name: value for column, value in values.items() if value is not None}
        if values:
            with contextlib.suppress(Exception), engine.begin() as connection:
                connection.execute(mapper.local_table.update().values(values))


def highest(column):
    import sqlalchemy as sa

    name = column.name.lower()
    if isinstance(column.type, sa.Boolean):
        return True if re.search("activ|verif|confirm|admin|staff|super|enabled", name) else None
    if not re.search("role|^rol$", name) or column.foreign_keys:
        return None
    if isinstance(column.type, sa.Enum):
        named = [one for one in column.type.enums if "admin" in one.lower()]
        return (column.type.enum_class[named[0]] if column.type.enum_class else named[0]) if named else None
    return "admin" if isinstance(column.type, sa.String) else None


def with_password(user):
    """The first account gets a password by its own class, where that says how it is kept."""
    import sqlalchemy
    from sqlalchemy.orm import Session

    engine = sqlalchemy.create_engine("sqlite://")
    with contextlib.suppress(Exception), contextlib.closing(Session(engine)) as session:
        row = session.merge(user)
        if hasattr(row, "set_password"):
            row.set_password("Long-enough-9")
        elif isinstance(getattr(type(row), "password", None), property):
            row.password = "Long-enough-9"
        session.commit()


def caller_by_sqlalchemy(wanted):
    """The first row of what a caller is: the wanted class, or one that is called so."""
    try:
        import sqlalchemy
        from sqlalchemy.orm import Mapper, Session
    except ImportError:
        return None
    engine = sqlalchemy.create_engine("sqlite://")
    classes = [one.class_ for one in gc.get_objects() if isinstance(one, Mapper)]
    named = [cls for cls in classes if cls is wanted] or sorted(
        (cls for cls in classes if USERS.search(cls.__name__)),
        key=lambda cls: len(cls.__name__),
    )
    for cls in named:
        with contextlib.suppress(Exception), contextlib.closing(Session(engine, expire_on_commit=False)) as session:
            found = session.query(cls).first()
            if found is not None:
                for relation in sqlalchemy.inspect(cls).relationships:
                    with contextlib.suppress(Exception):
                        getattr(found, relation.key)
                session.expunge_all()
                return found
    return None


# -- ASGI -------------------------------------------------------------------------------------------------------------


def asgi(job):
    on_sqlite()
    on_tortoise()
    from starlette.middleware.errors import ServerErrorMiddleware
    from starlette.testclient import TestClient

    make = ServerErrorMiddleware.__init__

    def made(self, app, *args, **kwargs):
        async def noting(scope, receive, send):
            try:
                await app(scope, receive, send)
            except Exception as error:
                CAUGHT.append(error)
                raise

        make(self, noting, *args, **kwargs)

    ServerErrorMiddleware.__init__ = made
    application = load(job["application"])
    tables_by_sqlalchemy()
    client = TestClient(application, raise_server_exceptions=False)
    not_begun = begun(client)
    if not_begun:
        client = TestClient(application, raise_server_exceptions=False)
    client.follow_redirects = False
    tables_by_sqlalchemy()
    overriding = {}
    # Older clients are those of requests.
    body = "content" if "content" in inspect.signature(client.request).parameters else "data"

    def send(request):
        headers = dict(request["headers"])
        client.cookies.clear()
        if request.get("login"):
            headers = {**BEARER, **headers}
            client.cookies.update(COOKIES)
        for one in overridable(application):
            one.dependency_overrides.clear()
            one.dependency_overrides.update(overriding if request.get("login") else {})
        content = {body: request["body"].encode() if request["body"] else None}
        headers = ascii_headers(headers) if body == "content" else headers
        answer = client.request(request["method"], request["target"], headers=headers, **content)
        return answer.status_code, answer.text

    log_in(send, job["logins"], lambda: dict(client.cookies))
    with contextlib.suppress(ImportError):
        raise_by_sqlalchemy()
    log_in(send, job["logins"], lambda: dict(client.cookies))
    rows = {**rows_by_sqlalchemy(), **rows_by_tortoise(client), **rows_by_beanie(client)}
    log_in_again(send, job["logins"], lambda: dict(client.cookies))
    if not BEARER and not COOKIES:
        overriding.update(override(job["guards"]))
    names = sorted(getattr(one, "__name__", "?") for one in overriding)
    ready = {"rows": rows, "overridden": names, "token": bool(BEARER), "logins": LOGINS}
    return send, {**ready, "not begun": not_begun} if not_begun else ready


def begun(client):
    """Runs what the application does when it begins; why that failed, if it did."""
    try:
        client.__enter__()
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:200]
    return ""


BEARER = {}
COOKIES = {}
LOGINS = {}


def overridable(application):
    """The application and those mounted in it, each with dependencies of its own."""
    found = [one for one in gc.get_objects() if isinstance(one, type(application))]
    return [one for one in (application, *found) if hasattr(one, "dependency_overrides")]


def ascii_headers(headers):
    return {name: value.encode() for name, value in headers.items()}


def log_in(send, logins, cookies=dict):
    """Sends the application's own registrations and logins, and keeps a token or the cookies that an answer holds."""
    for request in [variant for login in logins for variant in as_caller(login)]:
        with contextlib.suppress(Exception):
            status, body = send(request)
            LOGINS[f"{request['method']} {request['target']}"] = status
            if status < 400:
                COOKIES.update(cookies())
            if status < 300:
                token = token_in(json.loads(body))
                if token:
                    BEARER["Authorization"] = f"Bearer {token}"


def log_in_again(send, logins, cookies=dict):
    """As the first account that there is now, whoever made it."""
    row = caller_by_sqlalchemy(None)
    if row is not None:
        CALLER["row"] = row
        with_password(row)
    if "row" in CALLER:
        log_in(send, logins, cookies)


def as_caller(request):
    """The request with values of the caller's own, which no other row has; who logs in may be asked for an address."""
    row = CALLER.get("row")
    name = str(getattr(row, "username", None) or getattr(row, "name", None) or "caller")
    address = str(getattr(row, "email", None) or "caller@example.com")
    body = request["body"]
    if not body:
        known = base64.b64encode(f"{name}:Long-enough-9".encode()).decode()
        return [{**request, "headers": {**request["headers"], "Authorization": f"Basic {known}"}}]
    for old in ("someone", "nobody"):
        for at in ("@", "%40"):
            body = body.replace(f"{old}{at}example.com", address.replace("@", at))
    body = re.sub(r'(="?|": ")(?:text-?|no-such-one)(?=["&]|$)', lambda found: found[1] + name, body)
    by_address = re.sub(r'(username(?:=|": "))[^"&]*', lambda found: found[1] + address, body)
    return [{**request, "body": text} for text in dict.fromkeys((body, by_address))]


def token_in(data):
    if isinstance(data, dict):
        for name, value in data.items():
            if re.search("access|token|jwt", name, re.I) and isinstance(value, str) and len(value) > 15:
                return value
        return next(filter(None, map(token_in, data.values())), None)
    return None


def override(guards):
    """Dependencies that ask who calls give the first user instead."""
    found = {}
    for dependant in [one for one in gc.get_objects() if type(one).__name__ == "Dependant"]:
        call = dependant.call
        if getattr(call, "__name__", type(call).__name__) in guards and call not in found:
            user = caller(call)
            if user is not None:
                found[call] = lambda user=user: user
    return found


def caller(call):
    wanted = None
    with contextlib.suppress(Exception):
        import typing

        asked = call if inspect.isroutine(call) or isinstance(call, type) else type(call).__call__
        wanted = typing.get_type_hints(asked).get("return")
    if wanted in (int, str):
        return wanted(1)
    if wanted is dict:
        return {
            "sub": "1",
            "id": 1,
            "user_id": 1,
            "email": "someone1@example.com",
            "username": "text1",
            "role": "admin",
        }
    return caller_by_sqlalchemy(wanted) or CALLER.get("row")


CALLER = {}


# -- Tortoise ---------------------------------------------------------------------------------------------------------


def on_tortoise():
    """Tortoise is started on a temporary file, whatever the application says."""
    try:
        from tortoise import Tortoise
    except ImportError:
        return
    start = Tortoise.init.__func__
    url = f"sqlite://{DATABASE}.tortoise"

    async def init(cls, config=None, config_file=None, db_url=None, modules=None, **options):
        if config:
            config = {**config, "connections": dict.fromkeys(config["connections"], url)}
            await start(cls, config=config, **{k: v for k, v in options.items() if k != "_create_db"})
        else:
            await start(cls, db_url=url, modules=modules, **{k: v for k, v in options.items() if k != "_create_db"})
        await Tortoise.generate_schemas(safe=True)

    Tortoise.init = classmethod(init)


def rows_by_tortoise(client):
    try:
        from tortoise import Tortoise
    except ImportError:
        return {}
    if not getattr(Tortoise, "apps", None) or client.portal is None:
        return {}
    made = {}

    async def fill():
        models = [model for app in Tortoise.apps.values() for model in app.values()]
        for model in models * 4:
            for number in range(1, ROWS + 1):
                with contextlib.suppress(Exception):
                    if not await model.filter(pk=number).exists():
                        await model.create(**tortoise_values(model._meta, number))
                        made[model.__name__] = made.get(model.__name__, 0) + 1
        users = [model for model in models if re.search("user|account", model.__name__, re.I)]
        for model in sorted(users, key=lambda one: len(one.__name__))[:1]:
            CALLER["row"] = await model.first()

    client.portal.call(fill)
    return made


def tortoise_values(meta, number):
    keys = (*meta.fk_fields, *meta.o2o_fields)
    keyed = {meta.fields_map[name].source_field for name in keys}
    own = [name for name in meta.db_fields if name not in keys]
    return {name: number if name in keyed else tortoise_value(meta.fields_map[name], name, number) for name in own}


def tortoise_value(field, name, number):
    from tortoise import fields

    enum = getattr(field, "enum_type", None)
    if enum is not None:
        return next(iter(enum))
    by_type = {
        fields.BooleanField: True, fields.IntField: number, fields.BigIntField: number, fields.FloatField: 1.0,
        fields.DatetimeField: moment_of(number), fields.DateField: moment_of(number).date(),
        fields.JSONField: {}, fields.UUIDField: uuid.UUID(int=number), fields.DecimalField: decimal.Decimal(1),
    }  # fmt: skip
    found = next((value for kind, value in by_type.items() if isinstance(field, kind)), None)
    return found if found is not None else text_of(name, number, getattr(field, "max_length", None))


# -- Beanie -----------------------------------------------------------------------------------------------------------


KEYS = ("123456789012345678901235", "123456789012345678901234")


def rows_by_beanie(client):
    """Two documents in each collection, put there anew before a request that is to meet them."""
    try:
        from beanie import Document
    except ImportError:
        return {}
    if client.portal is None:
        return {}
    made = {}

    async def fill():
        for model in [one for one in gc.get_objects() if isinstance(one, type) and issubclass(one, Document)]:
            with contextlib.suppress(Exception):
                collection = model.get_motor_collection()
                await collection.delete_many({})
                for number in range(1, ROWS + 1):
                    await collection.insert_one(document(model, number))
                    made[model.__name__] = number
                if USERS.search(model.__name__):
                    CALLER.setdefault("row", await model.find_one())

    client.portal.call(fill)
    CLOSING.append(lambda: client.portal.call(fill))
    return made


def document(model, number):
    from bson import ObjectId

    key = ObjectId(KEYS[number - 1])
    own = {name: field for name, field in model.model_fields.items() if name not in ("id", "revision_id")}
    values = {
        field.alias or name: beanie_value(str(field.annotation), name, number, key) for name, field in own.items()
    }
    return {"_id": key, **values}


def beanie_value(kind, name, number, key):
    by_type = {
        "list": [], "dict": {}, "ObjectId": key, "Link": key, "datetime": moment_of(number), "date": moment_of(number),
        "bool": False, "int": number, "float": float(number),
    }  # fmt: skip
    found = next((value for word, value in by_type.items() if word.lower() in kind.lower()), None)
    return found if found is not None else text_of(name, number, None)


# -- Flask ------------------------------------------------------------------------------------------------------------


def flask(job):
    on_sqlite()
    import flask as library

    flask_on_sqlite(library)
    noting_exceptions(library)
    application = load(job["application"])
    as_script(job["application"], library.Flask)
    application.config.update(
        TESTING=False, DEBUG=False, WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False,
        SESSION_COOKIE_SECURE=False, JWT_COOKIE_SECURE=False,
    )  # fmt: skip
    for extension in application.extensions.get("limiter", ()):
        extension.enabled = False
    with application.app_context():
        tables_by_sqlalchemy()
    client = application.test_client()

    send = flask_sender(client)
    log_in(send, job["logins"], lambda: cookies_of(client))
    with contextlib.suppress(ImportError):
        raise_by_sqlalchemy()
    log_in(send, job["logins"], lambda: cookies_of(client))
    with application.app_context():
        rows = rows_by_sqlalchemy()
    with application.app_context():
        log_in_again(send, job["logins"], lambda: cookies_of(client))
        if not BEARER and not COOKIES:
            token_of_library(application)
    return send, {"rows": rows, "token": bool(BEARER), "logins": LOGINS}


def as_script(application, library):
    """What a module does where it is the script, to the application that it has: but for the serving."""
    module = sys.modules.get(application["module"])
    if application["called"] or not application["name"] or getattr(module, "__file__", None) is None:
        return
    library.run = lambda self, *args, **kwargs: None
    with open(module.__file__, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for block in filter(is_script_block, tree.body):
        made = any(isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == application["name"]
                   for node in ast.walk(block))  # fmt: skip
        if not made:
            with contextlib.suppress(Exception, SystemExit):
                exec(compile(ast.Module(block.body, []), module.__file__, "exec"), vars(module))


def is_script_block(node):
    return isinstance(node, ast.If) and any(
        isinstance(part, ast.Constant) and part.value == "__main__" for part in ast.walk(node.test)
    )


def flask_on_sqlite(library):
    """Flask-SQLAlchemy takes the temporary file, whatever the application is configured with."""
    real = library.Config.__setitem__

    def kept(self, name, value):
        if name in ("SQLALCHEMY_DATABASE_URI",):
            CONFIGURED.append(str(value))
            value = f"sqlite:///{DATABASE}"
        if name == "SQLALCHEMY_ENGINE_OPTIONS":
            value = {}
        real(self, name, value)

    library.Config.__setitem__ = kept
    with contextlib.suppress(ImportError):
        import flask_sqlalchemy

        start = flask_sqlalchemy.SQLAlchemy.init_app

        def init_app(self, app):
            CONFIGURED.append(str(app.config.get("SQLALCHEMY_DATABASE_URI")))
            app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{DATABASE}"
            app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {}
            app.config.pop("SQLALCHEMY_BINDS", None)
            return start(self, app)

        flask_sqlalchemy.SQLAlchemy.init_app = init_app


def flask_sender(client):
    def send(request):
        headers = dict(request["headers"])
        if request.get("login"):
            headers = {**BEARER, **headers}
            with contextlib.suppress(Exception), client.session_transaction() as session:
                row = CALLER.get("row")
                name = str(getattr(row, "username", getattr(row, "name", "text1")))
                session.update(
                    _user_id="1", _fresh=True, user_id=1, id=1, username=name, user=name, logged_in=True, loggedin=True
                )
                session.update(CALLER.get("session", {}))
            for name, value in COOKIES.items():
                with_cookie(client.set_cookie, name, value)
        else:
            for name in ("session", *COOKIES):
                with_cookie(client.delete_cookie, name)
        answer = tries(
            lambda: client.open(
                request["target"],
                method=request["method"],
                headers={n: v.encode("utf-8").decode("latin-1") for n, v in headers.items()},
                data=request["body"].encode() if request["body"] else None,
            )
        )
        if answer is None:
            return 500, ""  # What is not answered at all, the server answers so.
        return answer.status_code, answer.get_data(as_text=True)

    return send


def noting_exceptions(library):
    """What an application's own handlers answer is remembered as well as what nobody handles."""
    library.got_request_exception.connect(lambda sender, exception, **more: CAUGHT.append(exception), weak=False)
    handle = library.Flask.handle_user_exception

    def handled(self, error):
        CAUGHT.append(error)
        return handle(self, error)

    library.Flask.handle_user_exception = handled


def token_of_library(application):
    """A token for the first account where the application's own login gives none."""
    with contextlib.suppress(Exception):
        from flask_jwt_extended import create_access_token

        token = create_access_token(identity="1")
        BEARER["Authorization"] = f"Bearer {token}"
        COOKIES[application.config["JWT_ACCESS_COOKIE_NAME"]] = token


def cookies_of(client):
    """What the client keeps, but for the session's, which is written anew for each request: with what it holds now."""
    with contextlib.suppress(Exception), client.session_transaction() as session:
        CALLER.setdefault("session", {}).update({name: session[name] for name in session if name != "_flashes"})
    kept = getattr(client, "_cookies", None)
    pairs = {one.key: one.value for one in kept.values()} if kept is not None else {}
    if kept is None:
        pairs = {one.name: one.value for one in client.cookie_jar}
    return {name: value for name, value in pairs.items() if name != "session"}


def with_cookie(method, *given):
    """Older clients are told the host as well."""
    old = next(iter(inspect.signature(method).parameters)) == "server_name"
    method(*(("localhost", *given) if old else given))


# -- Django -----------------------------------------------------------------------------------------------------------


def django(job):
    os.environ["DJANGO_SETTINGS_MODULE"] = job["application"]["module"]
    import django as library
    from django.conf import settings

    atomic = settings.DATABASES.get("default", {}).get("ATOMIC_REQUESTS", False)
    database = {
        "ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE, "ATOMIC_REQUESTS": atomic, "TEST": {"NAME": DATABASE},
    }  # fmt: skip
    for name, value in {
        "DATABASES": {name: dict(database) for name in ("default", *settings.DATABASES)},
        "DATABASE_ROUTERS": [],
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
        "CACHES": {name: {"BACKEND": LOCAL_CACHE, "LOCATION": name} for name in settings.CACHES},
        "STORAGES": {
            "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        },
        "ALLOWED_HOSTS": ["*"], "DEBUG": False, "SECURE_SSL_REDIRECT": False, "CELERY_TASK_ALWAYS_EAGER": True,
    }.items():  # fmt: skip
        setattr(settings, name, value)
    if library.VERSION < (4, 2):
        settings.STATICFILES_STORAGE = "django.contrib.staticfiles.storage.StaticFilesStorage"
    with contextlib.suppress(Exception):
        settings.REST_FRAMEWORK = {
            **settings.REST_FRAMEWORK,
            "DEFAULT_THROTTLE_CLASSES": [],
            "TEST_REQUEST_DEFAULT_FORMAT": "json",
        }
    library.setup()
    from django.core.signals import got_request_exception
    from django.db import connections
    from django.test.utils import setup_databases, setup_test_environment

    setup_test_environment(debug=False)
    with contextlib.redirect_stdout(sys.stderr):
        try:
            setup_databases(verbosity=0, interactive=False)
        except Exception:
            settings.MIGRATION_MODULES = NoMigrations()
            setup_databases(verbosity=0, interactive=False)
    CLOSING.append(connections.close_all)
    got_request_exception.connect(lambda sender, **more: CAUGHT.append(sys.exc_info()[1]), weak=False)
    rows = rows_by_django()
    from django.test import Client

    try:
        from rest_framework.test import APIClient as Asking
    except Exception:
        Asking = Client
    client = Asking(raise_request_exception=False)
    user = django_user()
    key = getattr(user, "pk", None)

    def send(request):
        headers = dict(request["headers"])
        if request.get("login") and user is not None:
            come_back(user, key)
            client.force_login(user)
            if hasattr(client, "force_authenticate"):
                client.force_authenticate(user)
            headers = {**BEARER, **headers}
        else:
            if hasattr(client, "force_authenticate"):
                client.force_authenticate(None)
            client.logout()
        kind = headers.pop("Content-Type", "application/octet-stream")
        more = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        answer = client.generic(
            request["method"], request["target"], request["body"].encode(), content_type=kind, **more
        )
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return answer.status_code, body.decode("utf-8", "replace")

    log_in(send, job["logins"])
    return send, {"rows": rows, "user": str(user), "logins": LOGINS}


class NoMigrations:
    def __contains__(self, name):
        return True

    def __getitem__(self, name):
        return None


def django_user():
    from django.contrib.auth import get_user_model

    model = tries(get_user_model)
    if model is None:
        return None
    user = tries(lambda: model.objects.get(pk=1)) or tries(lambda: model.objects.first())
    for name in ("is_superuser", "is_staff", "is_active", "is_verified"):
        with contextlib.suppress(Exception):
            if hasattr(user, name):
                setattr(user, name, True)
    with contextlib.suppress(Exception):
        user.set_password("Long-enough-9")
        user.save()
    return user


def come_back(user, key):
    """Makes the user's row again where a request before has deleted it."""
    if user.pk is None or not type(user)._base_manager.filter(pk=key).exists():
        user.pk = key
        user.save()


def rows_by_django():
    from django.apps import apps
    from django.db import models, transaction

    made = {}
    outside = ("django.", "rest_framework")
    own = [model for model in apps.get_models() if not model.__module__.startswith(outside) or model.__name__ == "User"]
    for _ in range(4):
        for model in own:
            for number in range(1, ROWS + 1):
                if made.get(model.__name__, 0) >= number:
                    continue
                with contextlib.suppress(Exception), transaction.atomic():
                    values = {}
                    for field in model._meta.concrete_fields:
                        if isinstance(field, models.AutoField):
                            continue
                        values[field.attname] = django_value(field, number)
                    model._base_manager.create(**values)
                    made[model.__name__] = number
    return made


def django_value(field, number):
    from django.db import models

    if field.is_relation:
        keys = list(field.related_model._base_manager.order_by("pk").values_list("pk", flat=True)[:number])
        if keys and not field.unique and re.search("user|account", field.related_model.__name__, re.I):
            return keys[0]  # the caller's own
        return keys[-1] if keys else (None if field.null else 1 / 0)
    if field.choices:
        values = [value for value, _ in field.flatchoices]
        return values[(number - 1) % len(values) if field.unique else 0]
    unfilled = isinstance(field, models.FileField) and not field.blank  # No form of the application leaves it empty.
    if field.has_default() and not field.unique and not unfilled:
        return field.get_default()
    moment = moment_of(number).replace(tzinfo=datetime.timezone.utc)
    by_type = [
        (models.BooleanField, True), (models.DateTimeField, moment), (models.DateField, moment.date()),
        (models.TimeField, datetime.time(10, number)), (models.DecimalField, decimal.Decimal(number)),
        (models.FloatField, float(number)), (models.IntegerField, number), (models.UUIDField, uuid.UUID(int=number)),
        (getattr(models, "JSONField", ()), {}), (models.DurationField, datetime.timedelta(1)),
        (models.BinaryField, b"x"), (models.GenericIPAddressField, "192.0.2.1"), (models.FileField, "file.txt"),
    ]  # fmt: skip
    found = next((value for kind, value in by_type if isinstance(field, kind)), None)
    return found if found is not None else text_of(field.name, number, field.max_length)


KINDS = {"asgi": asgi, "flask": flask, "django": django}

if __name__ == "__main__":
    main()
