"""What a client sends is told wherever it does harm, by whichever function of whichever library; a constant is not."""

from __future__ import annotations

import pytest

from backaudit import plugins
from backaudit.testing import scan

LOADED = plugins.load(reraise=True)

_ROUTE = """

@app.route("/{number}")
{kind}def r{number}():
    q = {source}
    x = {use}
    return str(x)
"""
_QUERY = 'request.args["q"]'
_SOURCES = {"unsafe-deserialization": "request.get_data()"}
# By rule and library: what stands before the routes, and what is done with ``q``, one of a line.
PROGRAMS = {
    ("code-injection", "python"): (
        """
import importlib
import builtins
""",
        """
            eval(q)
            exec(q)
            compile(q, "a", "exec")
            builtins.eval(q)
            importlib.import_module(q)
            __import__(q)
            eval(f"1 + {q}")
            getattr(importlib, q)()
            globals()[q]()
        """,
    ),
    ("command-injection", "processes"): (
        """
import os
import subprocess
import asyncio
import pty
import shlex
import paramiko
""",
        """
            os.system(f"ls {q}")
            os.popen(f"ls {q}")
            subprocess.run(f"ls {q}", shell=True)
            subprocess.call(f"ls {q}", shell=True)
            subprocess.check_output("ls " + q, shell=True)
            subprocess.Popen(f"ls {q}", shell=True)
            subprocess.getoutput(f"ls {q}")
            subprocess.getstatusoutput(f"ls {q}")
            subprocess.run(["sh", "-c", f"ls {q}"])
            subprocess.run(["bash", "-c", q])
            await asyncio.create_subprocess_shell(f"ls {q}")
            os.execl("/bin/sh", "sh", "-c", q)
            os.spawnl(os.P_WAIT, "/bin/sh", "sh", "-c", q)
            pty.spawn(["sh", "-c", q])
            subprocess.run([q])
            paramiko.SSHClient().exec_command(f"ls {q}")
        """,
    ),
    ("path-traversal", "files"): (
        """
import os
import shutil
import pathlib
import zipfile
import tarfile
import tempfile
import aiofiles
from flask import send_file, send_from_directory
""",
        """
            open(q)
            open(os.path.join("d", q))
            open("d/" + q)
            pathlib.Path(q).read_text()
            (pathlib.Path("d") / q).read_bytes()
            pathlib.Path("d", q).write_text("x")
            os.remove(q)
            os.unlink("d/" + q)
            os.rename("a", q)
            os.listdir(q)
            os.makedirs(q)
            shutil.rmtree(q)
            shutil.copy(q, "x")
            shutil.move("x", q)
            send_file(q)
            send_file(os.path.join("d", q))
            zipfile.ZipFile(q)
            tarfile.open(q)
            await aiofiles.open(q)
            os.stat(q)
            os.scandir(q)
            pathlib.Path(q).unlink()
            pathlib.Path("d").joinpath(q).open()
            os.path.getsize(q)
            os.replace("a", q)
            os.rmdir(q)
            os.mkdir(q)
            shutil.copyfile("x", q)
            pathlib.Path(q).rename("x")
        """,
    ),
    ("sql-injection", "aiosqlite"): (
        """
import aiosqlite
db = aiosqlite.connect("a")
""",
        """
            db.execute(f"SELECT {q}")
            db.executescript(f"SELECT {q}")
            db.execute_fetchall(f"SELECT {q}")
        """,
    ),
    ("sql-injection", "asyncpg"): (
        """
import asyncpg
pool = asyncpg.create_pool()
""",
        """
            await pool.fetch(f"SELECT {q}")
            await pool.fetchrow(f"SELECT {q}")
            await pool.fetchval(f"SELECT {q}")
            await pool.execute(f"SELECT {q}")
            await pool.executemany(f"SELECT {q}", [])
        """,
    ),
    ("sql-injection", "clickhouse_connect"): (
        """
import clickhouse_connect
c = clickhouse_connect.get_client()
""",
        """
            c.query(f"SELECT {q}")
            c.command(f"SELECT {q}")
        """,
    ),
    ("sql-injection", "databases"): (
        """
from databases import Database
db = Database("sqlite:///a")
""",
        """
            db.execute(f"SELECT {q}")
            db.fetch_all(f"SELECT {q}")
            db.fetch_one(query=f"SELECT {q}")
            db.fetch_val(f"SELECT {q}")
            db.iterate(f"SELECT {q}")
            db.execute_many(f"SELECT {q}", [])
        """,
    ),
    ("sql-injection", "django"): (
        """
from django.db import connection, models
from django.db.models.expressions import RawSQL


class T(models.Model):
    a = models.CharField(max_length=9)
""",
        """
            connection.cursor().execute(f"SELECT {q}")
            T.objects.raw(f"SELECT {q}")
            list(T.objects.extra(where=[q]))
            list(T.objects.extra(select={"x": q}))
            list(T.objects.annotate(x=RawSQL(q, [])))
            list(T.objects.extra(order_by=[q]))
            list(T.objects.extra(tables=[q]))
            connection.cursor().executemany(f"SELECT {q}", [])
        """,
    ),
    ("sql-injection", "duckdb"): (
        """
import duckdb
""",
        """
            duckdb.sql(f"SELECT {q}")
            duckdb.query(f"SELECT {q}")
            duckdb.execute(f"SELECT {q}")
            duckdb.connect().execute(f"SELECT {q}")
        """,
    ),
    ("sql-injection", "flask_sqlalchemy"): (
        """
from flask_sqlalchemy import SQLAlchemy
db = SQLAlchemy()


class T(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    a = db.Column(db.String(9))
""",
        """
            db.session.execute(f"SELECT {q}")
            db.engine.execute(f"SELECT {q}")
            db.session.execute(db.text(f"SELECT {q}"))
            T.query.filter(db.text(q)).all()
            T.query.order_by(db.text(q)).all()
            T.query.from_statement(db.text(q)).all()
            T.query.group_by(db.text(q)).all()
            T.query.having(db.text(q)).all()
        """,
    ),
    ("sql-injection", "mysql"): (
        """
import mysql.connector
db = mysql.connector.connect()
""",
        """
            db.cursor().execute(f"SELECT {q}")
            db.cursor(dictionary=True).execute(f"SELECT {q}", multi=True)
            db.cmd_query(f"SELECT {q}")
        """,
    ),
    ("sql-injection", "oracledb"): (
        """
import oracledb
db = oracledb.connect()
""",
        """
            db.cursor().execute(f"SELECT {q}")
        """,
    ),
    ("sql-injection", "pandas"): (
        """
import pandas as pd
""",
        """
            pd.read_sql(f"SELECT {q}", None)
            pd.read_sql_query(f"SELECT {q}", None)
        """,
    ),
    ("sql-injection", "peewee"): (
        """
from peewee import SQL, CharField, Model, SqliteDatabase, fn, RawQuery
db = SqliteDatabase("a")


class T(Model):
    a = CharField()

    class Meta:
        database = db
""",
        """
            db.execute_sql(f"SELECT {q}")
            T.raw(f"SELECT {q}")
            T.select().where(SQL(q))
            T.select(SQL(q))
            T.select().order_by(SQL(q))
            T.select().where(T.a == SQL(q))
        """,
    ),
    ("sql-injection", "pony"): (
        """
from pony.orm import Database, Required, raw_sql, select
db = Database()


class T(db.Entity):
    a = Required(str)
""",
        """
            db.execute(f"SELECT {q}")
            db.select(f"SELECT {q}")
            db.get(f"SELECT {q}")
            T.select_by_sql(f"SELECT {q}")
            T.get_by_sql(f"SELECT {q}")
            select(t for t in T if raw_sql(q))
            db.exists(f"SELECT {q}")
        """,
    ),
    ("sql-injection", "psycopg"): (
        """
import psycopg
db = psycopg.connect("")
""",
        """
            db.execute(f"SELECT {q}")
            db.cursor().execute(f"SELECT {q}")
            db.cursor().copy(f"COPY {q}")
            psycopg.connect("").cursor().stream(f"SELECT {q}")
        """,
    ),
    ("sql-injection", "psycopg2"): (
        """
import psycopg2
db = psycopg2.connect("")
""",
        """
            db.cursor().execute(f"SELECT {q}")
            db.cursor().copy_expert(f"COPY {q} TO STDOUT", None)
            db.cursor().mogrify(f"SELECT {q}")
        """,
    ),
    ("sql-injection", "pymysql"): (
        """
import pymysql
db = pymysql.connect()
""",
        """
            db.cursor().execute(f"SELECT {q}")
            db.query(f"SELECT {q}")
        """,
    ),
    ("sql-injection", "pyodbc"): (
        """
import pyodbc
db = pyodbc.connect("")
""",
        """
            db.execute(f"SELECT {q}")
            db.cursor().execute(f"SELECT {q}")
        """,
    ),
    ("sql-injection", "sqlalchemy"): (
        """
from sqlalchemy import create_engine, text, select, column, table, literal_column
from sqlalchemy.orm import Session
engine = create_engine("sqlite://")
db = Session(engine)
""",
        """
            db.execute(text(f"SELECT {q}"))
            engine.connect().execute(text("SELECT " + q))
            engine.execute("SELECT " + q)
            db.query(text(q))
            db.execute(select(text(q)))
            db.execute(select(literal_column(q)))
            db.scalars(text(f"SELECT {q}"))
            db.scalar(text(f"SELECT {q}"))
            engine.connect().exec_driver_sql(f"SELECT {q}")
            db.execute(select(column("a")).where(text(q)))
            db.execute(select(column("a")).order_by(text(q)))
            db.connection().execute(text(f"SELECT {q}"))
            db.execute(text("SELECT :x").bindparams(x=1).columns(text(q)))
        """,
    ),
    ("sql-injection", "sqlite3"): (
        """
import sqlite3
db = sqlite3.connect("a.db")
""",
        """
            db.execute(f"SELECT {q}")
            db.cursor().execute(f"SELECT {q}")
            db.executescript(f"SELECT {q}")
            db.executemany(f"INSERT INTO t VALUES ({q})", [])
        """,
    ),
    ("sql-injection", "tortoise"): (
        """
from tortoise import Tortoise, fields, connections
from tortoise.models import Model
from tortoise.expressions import RawSQL


class T(Model):
    a = fields.CharField(max_length=9)
""",
        """
            await Tortoise.get_connection("default").execute_query(f"SELECT {q}")
            await connections.get("default").execute_query(f"SELECT {q}")
            await connections.get("default").execute_query_dict(f"SELECT {q}")
            await connections.get("default").execute_script(f"SELECT {q}")
            T.raw(f"SELECT {q}")
            T.annotate(x=RawSQL(q))
        """,
    ),
    ("ssrf", "clients"): (
        """
import requests
import httpx
import urllib.request
import aiohttp
import urllib3
import http.client
import socket
import urllib
""",
        """
            requests.get(q)
            requests.post(q, json={})
            requests.request("GET", q)
            requests.Session().get(q)
            httpx.get(q)
            httpx.Client().get(q)
            await httpx.AsyncClient().get(q)
            await httpx.AsyncClient().request("GET", q)
            httpx.stream("GET", q)
            urllib.request.urlopen(q)
            urllib.request.Request(q)
            urllib.request.urlretrieve(q)
            await aiohttp.ClientSession().get(q)
            await aiohttp.ClientSession().post(q)
            urllib3.PoolManager().request("GET", q)
            http.client.HTTPConnection(q)
            requests.get(url=q)
            requests.head(q)
            requests.get(f"http://{q}/a")
            requests.put(q)
            await aiohttp.request("GET", q)
            socket.create_connection((q, 80))
            urllib3.request("GET", q)
        """,
    ),
    ("template-injection", "templates"): (
        """
import jinja2
from flask import render_template_string
from jinja2 import Environment, Template
import mako.template
import tornado.template
from django.template import Template as DT, engines
from string import Template as ST
""",
        """
            render_template_string(q)
            render_template_string(f"hi {q}")
            Template(q).render()
            jinja2.Template("a" + q).render()
            Environment().from_string(q).render()
            jinja2.Environment().from_string(q)
            mako.template.Template(q).render()
            tornado.template.Template(q).generate()
            DT(q)
            engines["django"].from_string(q)
        """,
    ),
    ("unsafe-deserialization", "formats"): (
        """
import pickle
import yaml
import marshal
import shelve
import dill
import jsonpickle
import joblib
import cloudpickle
import io
import numpy
import pandas
import torch
""",
        """
            pickle.loads(q)
            pickle.load(io.BytesIO(q))
            yaml.load(q)
            yaml.load(q, Loader=yaml.Loader)
            yaml.unsafe_load(q)
            yaml.load(q, Loader=yaml.UnsafeLoader)
            yaml.load_all(q, Loader=yaml.Loader)
            marshal.loads(q)
            dill.loads(q)
            jsonpickle.decode(q)
            cloudpickle.loads(q)
            pickle.Unpickler(io.BytesIO(q)).load()
            joblib.load(io.BytesIO(q))
            numpy.load(io.BytesIO(q), allow_pickle=True)
            pandas.read_pickle(io.BytesIO(q))
            torch.load(io.BytesIO(q))
            shelve.open(q)
        """,
    ),
    ("xxe", "lxml"): (
        """
import lxml.etree
import xml.etree.ElementTree as ET
import xml.sax
import xml.dom.minidom
import xmltodict
from lxml import etree
""",
        """
            lxml.etree.fromstring(q)
            etree.XML(q)
            etree.parse(q)
            etree.fromstring(q, etree.XMLParser(resolve_entities=True))
        """,
    ),
}


@pytest.mark.parametrize(("rule", "library"), sorted(PROGRAMS))
def test_every_way_to_do_harm_is_known(rule: str, library: str) -> None:
    before, uses = PROGRAMS[rule, library]
    wanted = [use.strip() for use in uses.strip().splitlines()]
    found = _reported(rule, before, wanted, _SOURCES.get(rule, _QUERY))
    assert [use for use in wanted if use not in found] == []


@pytest.mark.parametrize(("rule", "library"), sorted(PROGRAMS))
def test_no_constant_does_harm(rule: str, library: str) -> None:
    before, uses = PROGRAMS[rule, library]
    assert _reported(rule, before, [use.strip() for use in uses.strip().splitlines()], '"fixed"') == set()


def _reported(rule: str, before: str, uses: list[str], source: str) -> set[str]:
    """What is reported of a program with a route for each use of what ``source`` gives."""
    text = f"from flask import Flask, request\n{before}\napp = Flask(__name__)\n"
    for number, use in enumerate(uses):
        kind = "async " if use.startswith("await ") else ""
        text += _ROUTE.format(number=number, kind=kind, source=source, use=use)
    lines = text.splitlines()
    found = scan({"app.py": text}, LOADED, [each for each in LOADED.rules if each.name == rule]).issues
    return {lines[issue.finding.place.span.line - 1].strip().removeprefix("x = ") for issue in found}
