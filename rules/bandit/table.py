"""The one table of bandit's checks: what each is called, weighs and says. A row is a rule.

``doc`` is in the format of a rule's docstring. ``cwe`` and ``severity`` are bandit's, the severity that of its usual
finding (others may differ). ``page`` is where bandit documents the check. ``covered_by`` names the rules of ours on the
same subject: once all of them exist, the check is shown only when it is selected by its id.
"""

from __future__ import annotations

import msgspec

from backaudit.project import Role
from backaudit.rule import Severity


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One of bandit's checks; ``id`` is bandit's own, such as ``B608``; ``silent_in``: roles of files
    it spares, beside tests, in which what it warns of is the rule."""

    id: str
    severity: Severity
    cwe: int
    owasp: tuple[str, ...]
    page: str
    doc: str
    covered_by: tuple[str, ...] = ()
    silent_in: tuple[Role, ...] = ()


ACCESS = ("A01:2025", "A01:2021")
CONFIGURATION = ("A02:2025", "A05:2021")
SUPPLY_CHAIN = ("A03:2025", "A08:2021")
CRYPTOGRAPHY = ("A04:2025", "A02:2021")
INJECTION = ("A05:2025", "A03:2021")
DESIGN = ("A06:2025", "A04:2021")
AUTHENTICATION = ("A07:2025", "A07:2021")
INTEGRITY = ("A08:2025", "A08:2021")
EXCEPTIONS = ("A10:2025", "A04:2021")
CONSUMPTION = ("A06:2025", "A04:2021", "API4:2023")
REQUEST_FORGERY = ("A01:2025", "A10:2021", "API7:2023")
XML_ENTITIES = ("A02:2025", "A05:2021")

SECRETS = ("secrets/hardcoded-secret",)
SWALLOWED = ("errors/swallowed-exception",)
DESERIALIZATION = ("validation/unsafe-deserialization",)
COMMANDS = ("validation/command-injection",)
CODE = ("validation/code-injection",)
SQL = ("validation/sql-injection",)
XSS = ("validation/xss",)
XXE = ("validation/xxe",)
SSRF = ("validation/ssrf",)
HASHES = ("passwords/weak-hash", "auth/weak-cipher")
CIPHERS = ("auth/weak-cipher",)
RANDOM = ("auth/weak-random-token",)
TLS = ("deploy/tls-verify-off",)
DEBUG = ("deploy/debug-on",)

TABLE: tuple[Row, ...] = (
    Row(
        id="B101",
        severity="low",
        cwe=703,
        owasp=EXCEPTIONS,
        page="plugins/b101_assert_used.html",
        silent_in=("example",),
        doc="""
        An assert guards something that production relies on.

        Python drops every assert when it runs with -O, and the check with it. In tests an assert is what it should be.

        Mend: raise an exception of your own where the check must hold.

        Bad:
            def withdraw(account, amount):
                assert amount > 0
                account.balance -= amount

        Good:
            def withdraw(account, amount):
                if amount <= 0:
                    raise ValueError("amount must be positive")
                account.balance -= amount
        """,
    ),
    Row(
        id="B102",
        severity="medium",
        cwe=78,
        owasp=INJECTION,
        page="plugins/b102_exec_used.html",
        covered_by=CODE,
        doc="""
        Code is made of text and run by exec.

        Whoever can influence the text runs what they like, with the rights of the server.

        Mend: call a function chosen from a dict, or parse the text with a parser made for it.

        Bad:
            def apply(formula, values):
                exec(formula, values)

        Good:
            FORMULAS = {"sum": sum, "max": max}

            def apply(formula, values):
                return FORMULAS[formula](values)
        """,
    ),
    Row(
        id="B103",
        severity="high",
        cwe=732,
        owasp=ACCESS,
        page="plugins/b103_set_bad_file_permissions.html",
        doc="""
        A file is made writable or executable for everyone or for its group.

        Any account on the machine, a compromised neighbour included, can then change what the server reads or runs.

        Mend: give the mode that the owner needs, such as 0o600 or 0o640.

        Bad:
            import os

            os.chmod("/srv/app/config.ini", 0o777)

        Good:
            import os

            os.chmod("/srv/app/config.ini", 0o600)
        """,
    ),
    Row(
        id="B104",
        severity="medium",
        cwe=605,
        owasp=CONFIGURATION,
        page="plugins/b104_hardcoded_bind_all_interfaces.html",
        doc="""
        A server listens on every network interface.

        In a container that is usual; on a machine with a public address it opens the service to the internet.

        Mend: listen on 127.0.0.1 behind a proxy, or take the address from the configuration.

        Bad:
            import uvicorn

            uvicorn.run("app:app", host="0.0.0.0")

        Good:
            import uvicorn

            uvicorn.run("app:app", host="127.0.0.1")
        """,
    ),
    Row(
        id="B105",
        severity="low",
        cwe=259,
        owasp=AUTHENTICATION,
        page="plugins/b105_hardcoded_password_string.html",
        covered_by=SECRETS,
        doc="""
        A string is assigned or compared to something named like a password.

        Whoever can read the code, or any copy of it, has the password; changing it takes a release.

        Mend: read it from the environment or a secret store, without a default.

        Bad:
            db_password = "correct horse"

        Good:
            import os

            db_password = os.environ["DB_PASSWORD"]
        """,
    ),
    Row(
        id="B106",
        severity="low",
        cwe=259,
        owasp=AUTHENTICATION,
        page="plugins/b106_hardcoded_password_funcarg.html",
        covered_by=SECRETS,
        doc="""
        A string is passed as an argument named like a password.

        Whoever can read the code, or any copy of it, has the password; changing it takes a release.

        Mend: read it from the environment or a secret store, without a default.

        Bad:
            from database import connect

            connection = connect(user="shop", password="correct horse")

        Good:
            import os

            from database import connect

            connection = connect(user="shop", password=os.environ["DB_PASSWORD"])
        """,
    ),
    Row(
        id="B107",
        severity="low",
        cwe=259,
        owasp=AUTHENTICATION,
        page="plugins/b107_hardcoded_password_default.html",
        covered_by=SECRETS,
        doc="""
        An argument named like a password has a string as its default.

        A caller that forgets the argument works with a password that stands in the code.

        Mend: make the argument required.

        Bad:
            def connect(user, password="correct horse"):
                return (user, password)

        Good:
            def connect(user, password):
                return (user, password)
        """,
    ),
    Row(
        id="B108",
        severity="medium",
        cwe=377,
        owasp=DESIGN,
        page="plugins/b108_hardcoded_tmp_directory.html",
        doc="""
        A fixed path in a temporary folder is used.

        Others on the machine can create the file first, as a link to somewhere else, or read what is put there.

        Mend: let the module tempfile make a file or folder of its own.

        Bad:
            def export(rows):
                with open("/tmp/export.csv", "w") as file:
                    file.writelines(rows)

        Good:
            import tempfile

            def export(rows):
                with tempfile.NamedTemporaryFile("w", delete=False) as file:
                    file.writelines(rows)
        """,
    ),
    Row(
        id="B110",
        severity="low",
        cwe=703,
        owasp=EXCEPTIONS,
        page="plugins/b110_try_except_pass.html",
        covered_by=SWALLOWED,
        doc="""
        Any exception is caught and dropped with pass.

        What went wrong is neither handled nor logged; the program goes on with half of its work done.

        Mend: catch what is expected, and log the rest or let it through.

        Bad:
            def save(order):
                try:
                    order.save()
                except Exception:
                    pass

        Good:
            import logging

            def save(order):
                try:
                    order.save()
                except ConnectionError:
                    logging.exception("order not saved")
                    raise
        """,
    ),
    Row(
        id="B112",
        severity="low",
        cwe=703,
        owasp=EXCEPTIONS,
        page="plugins/b112_try_except_continue.html",
        covered_by=SWALLOWED,
        doc="""
        Any exception in a loop is caught and dropped with continue.

        The element is skipped without a trace, whatever went wrong with it.

        Mend: catch what is expected, and log what is skipped.

        Bad:
            def save_all(orders):
                for order in orders:
                    try:
                        order.save()
                    except Exception:
                        continue

        Good:
            import logging

            def save_all(orders):
                for order in orders:
                    try:
                        order.save()
                    except ValueError:
                        logging.exception("order %s skipped", order.id)
        """,
    ),
    Row(
        id="B113",
        severity="medium",
        cwe=400,
        owasp=CONSUMPTION,
        page="plugins/b113_request_without_timeout.html",
        doc="""
        A request to another server has no timeout.

        When the other side hangs, so does the worker that waits for it; a few such requests stop the whole service.

        Mend: pass timeout= with the seconds that the caller can afford.

        Bad:
            import requests

            def rates():
                return requests.get("https://rates.example/latest").json()

        Good:
            import requests

            def rates():
                return requests.get("https://rates.example/latest", timeout=5).json()
        """,
    ),
    Row(
        id="B201",
        severity="high",
        cwe=94,
        owasp=CONFIGURATION,
        page="plugins/b201_flask_debug_true.html",
        covered_by=DEBUG,
        doc="""
        A Flask application is run with debug=True.

        The debugger of Werkzeug runs any code that a visitor of an error page types into it.

        Mend: leave debug out, and switch it on for development with "flask run --debug".

        Bad:
            from flask import Flask

            app = Flask(__name__)
            app.run(debug=True)

        Good:
            from flask import Flask

            app = Flask(__name__)
            app.run()
        """,
    ),
    Row(
        id="B202",
        severity="high",
        cwe=22,
        owasp=ACCESS,
        page="plugins/b202_tarfile_unsafe_members.html",
        doc="""
        A tar archive is unpacked without looking at the names in it.

        A member named ../../etc/cron.d/job is written there, and links point wherever the archive's author likes.

        Mend: pass filter="data", which refuses such members.

        Bad:
            import tarfile

            def unpack(path):
                with tarfile.open(path) as archive:
                    archive.extractall("uploads")

        Good:
            import tarfile

            def unpack(path):
                with tarfile.open(path) as archive:
                    archive.extractall("uploads", filter="data")
        """,
    ),
    Row(
        id="B301",
        severity="medium",
        cwe=502,
        owasp=INTEGRITY,
        page="blacklists/blacklist_calls.html#b301-pickle",
        covered_by=DESERIALIZATION,
        doc="""
        Data is unpickled.

        A pickle says which functions to call while it is read: one made by an attacker runs the attacker's code.

        Mend: exchange data as JSON; sign what must be a pickle, and check the signature first.

        Bad:
            import pickle

            def read(body):
                return pickle.loads(body)

        Good:
            import json

            def read(body):
                return json.loads(body)
        """,
    ),
    Row(
        id="B302",
        severity="medium",
        cwe=502,
        owasp=INTEGRITY,
        page="blacklists/blacklist_calls.html#b302-marshal",
        covered_by=DESERIALIZATION,
        doc="""
        Data is read with marshal.

        The module is made for Python's own compiled files; on hostile data it can crash the process or worse.

        Mend: exchange data as JSON.

        Bad:
            import marshal

            def read(body):
                return marshal.loads(body)

        Good:
            import json

            def read(body):
                return json.loads(body)
        """,
    ),
    Row(
        id="B303",
        severity="medium",
        cwe=327,
        owasp=CRYPTOGRAPHY,
        page="blacklists/blacklist_calls.html#b303-md5",
        covered_by=HASHES,
        doc="""
        A broken hash (MD2, MD4, MD5, SHA-1) of a cryptography library is used.

        Two inputs with the same hash can be made at will, so that the hash proves nothing.

        Mend: use SHA-256 or better; for passwords a password hash such as argon2.

        Bad:
            from cryptography.hazmat.primitives import hashes

            digest = hashes.Hash(hashes.MD5())

        Good:
            from cryptography.hazmat.primitives import hashes

            digest = hashes.Hash(hashes.SHA256())
        """,
    ),
    Row(
        id="B304",
        severity="high",
        cwe=327,
        owasp=CRYPTOGRAPHY,
        page="blacklists/blacklist_calls.html#b304-b305-ciphers-and-modes",
        covered_by=CIPHERS,
        doc="""
        A broken or outdated cipher (ARC4, Blowfish, DES, IDEA …) is used.

        What it protects can be read with the means of today.

        Mend: use AES-GCM or ChaCha20-Poly1305, or the recipe Fernet.

        Bad:
            from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

            def cipher(key):
                return Cipher(algorithms.ARC4(key), mode=None)

        Good:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            def cipher(key):
                return AESGCM(key)
        """,
    ),
    Row(
        id="B305",
        severity="medium",
        cwe=327,
        owasp=CRYPTOGRAPHY,
        page="blacklists/blacklist_calls.html#b304-b305-ciphers-and-modes",
        covered_by=CIPHERS,
        doc="""
        A block cipher is used in ECB mode.

        Equal blocks of text give equal blocks of cipher, so that patterns stay visible and blocks can be swapped.

        Mend: use an authenticated mode such as GCM with a fresh nonce.

        Bad:
            from cryptography.hazmat.primitives.ciphers import modes

            mode = modes.ECB()

        Good:
            import os

            from cryptography.hazmat.primitives.ciphers import modes

            mode = modes.GCM(os.urandom(12))
        """,
    ),
    Row(
        id="B306",
        severity="medium",
        cwe=377,
        owasp=DESIGN,
        page="blacklists/blacklist_calls.html#b306-mktemp-q",
        doc="""
        The name of a temporary file is made by tempfile.mktemp.

        Between the name and the opening of the file, somebody else can create it.

        Mend: use tempfile.mkstemp or NamedTemporaryFile, which create the file at once.

        Bad:
            import tempfile

            path = tempfile.mktemp()

        Good:
            import tempfile

            handle, path = tempfile.mkstemp()
        """,
    ),
    Row(
        id="B307",
        severity="medium",
        cwe=78,
        owasp=INJECTION,
        page="blacklists/blacklist_calls.html#b307-eval",
        covered_by=CODE,
        doc="""
        Text is evaluated as code by eval.

        Whoever can influence the text runs what they like, with the rights of the server.

        Mend: use ast.literal_eval for literals, json.loads for data.

        Bad:
            def parse(text):
                return eval(text)

        Good:
            import ast

            def parse(text):
                return ast.literal_eval(text)
        """,
    ),
    Row(
        id="B308",
        severity="medium",
        cwe=79,
        owasp=INJECTION,
        page="blacklists/blacklist_calls.html#b308-mark-safe",
        covered_by=XSS,
        doc="""
        Text is exempted from Django's HTML escaping by mark_safe.

        Where a user's input is part of the text, the user's script runs in other people's browsers.

        Mend: build markup with format_html, which escapes what is put in.

        Bad:
            from django.utils.safestring import mark_safe

            def badge(user):
                return mark_safe("<b>" + user.name + "</b>")

        Good:
            from django.utils.html import format_html

            def badge(user):
                return format_html("<b>{}</b>", user.name)
        """,
    ),
    Row(
        id="B310",
        severity="medium",
        cwe=22,
        owasp=REQUEST_FORGERY,
        page="blacklists/blacklist_calls.html#b310-urllib-urlopen",
        covered_by=SSRF,
        doc="""
        A URL is opened by urllib, which also reads file: URLs.

        Where the URL comes from outside, the caller reads files of the server, or addresses inside its network.

        Mend: check scheme and host before, or use an HTTP client that knows only http and https.

        Bad:
            import urllib.request

            def fetch(url):
                return urllib.request.urlopen(url).read()

        Good:
            import httpx

            def fetch(path):
                return httpx.get("https://api.example/" + path, timeout=5).content
        """,
    ),
    Row(
        id="B311",
        severity="low",
        cwe=330,
        owasp=CRYPTOGRAPHY,
        page="blacklists/blacklist_calls.html#b311-random",
        covered_by=RANDOM,
        doc="""
        A random value is made by the module random.

        Its values can be computed from a few earlier ones: for tokens, passwords and keys that is no secret at all.

        Mend: use the module secrets for whatever must not be guessed.

        Bad:
            import random

            def reset_code():
                return random.randint(100000, 999999)

        Good:
            import secrets

            def reset_code():
                return 100000 + secrets.randbelow(900000)
        """,
    ),
    Row(
        id="B312",
        severity="high",
        cwe=319,
        owasp=CRYPTOGRAPHY,
        page="blacklists/blacklist_calls.html#b312-telnetlib",
        doc="""
        A Telnet connection is opened.

        Telnet sends everything, passwords included, in the clear.

        Mend: use SSH.

        Bad:
            import telnetlib

            session = telnetlib.Telnet("switch.example")

        Good:
            import paramiko

            session = paramiko.SSHClient()
            session.connect("switch.example")
        """,
    ),
    Row(
        id="B313",
        severity="medium",
        cwe=20,
        owasp=XML_ENTITIES,
        page="blacklists/blacklist_calls.html#b313-b320-xml-bad-celementtree",
        covered_by=XXE,
        doc="""
        XML is parsed by xml.etree.cElementTree.

        A small document of nested entities grows to gigabytes in memory; older parsers also fetch external entities.

        Mend: parse XML from outside with the package defusedxml.

        Bad:
            import xml.etree.cElementTree as ET

            def read(body):
                return ET.fromstring(body)

        Good:
            import defusedxml.ElementTree as ET

            def read(body):
                return ET.fromstring(body)
        """,
    ),
    Row(
        id="B314",
        severity="medium",
        cwe=20,
        owasp=XML_ENTITIES,
        page="blacklists/blacklist_calls.html#b313-b320-xml-bad-elementtree",
        covered_by=XXE,
        doc="""
        XML is parsed by xml.etree.ElementTree.

        A small document of nested entities grows to gigabytes in memory; older parsers also fetch external entities.

        Mend: parse XML from outside with the package defusedxml.

        Bad:
            import xml.etree.ElementTree as ET

            def read(body):
                return ET.fromstring(body)

        Good:
            import defusedxml.ElementTree as ET

            def read(body):
                return ET.fromstring(body)
        """,
    ),
    Row(
        id="B315",
        severity="medium",
        cwe=20,
        owasp=XML_ENTITIES,
        page="blacklists/blacklist_calls.html#b313-b320-xml-bad-expatreader",
        covered_by=XXE,
        doc="""
        An XML parser is made by xml.sax.expatreader.

        A small document of nested entities grows to gigabytes in memory; older parsers also fetch external entities.

        Mend: parse XML from outside with the package defusedxml.

        Bad:
            from xml.sax import expatreader

            parser = expatreader.create_parser()

        Good:
            from defusedxml import expatreader

            parser = expatreader.create_parser()
        """,
    ),
    Row(
        id="B316",
        severity="medium",
        cwe=20,
        owasp=XML_ENTITIES,
        page="blacklists/blacklist_calls.html#b313-b320-xml-bad-expatbuilder",
        covered_by=XXE,
        doc="""
        XML is parsed by xml.dom.expatbuilder.

        A small document of nested entities grows to gigabytes in memory; older parsers also fetch external entities.

        Mend: parse XML from outside with the package defusedxml.

        Bad:
            from xml.dom import expatbuilder

            def read(body):
                return expatbuilder.parseString(body)

        Good:
            from defusedxml import expatbuilder

            def read(body):
                return expatbuilder.parseString(body)
        """,
    ),
    Row(
        id="B317",
        severity="medium",
        cwe=20,
        owasp=XML_ENTITIES,
        page="blacklists/blacklist_calls.html#b313-b320-xml-bad-sax",
        covered_by=XXE,
        doc="""
        XML is parsed by xml.sax.

        A small document of nested entities grows to gigabytes in memory; older parsers also fetch external entities.

        Mend: parse XML from outside with the package defusedxml.

        Bad:
            import xml.sax

            def read(body, handler):
                xml.sax.parseString(body, handler)

        Good:
            import defusedxml.sax

            def read(body, handler):
                defusedxml.sax.parseString(body, handler)
        """,
    ),
    Row(
        id="B318",
        severity="medium",
        cwe=20,
        owasp=XML_ENTITIES,
        page="blacklists/blacklist_calls.html#b313-b320-xml-bad-minidom",
        covered_by=XXE,
        doc="""
        XML is parsed by xml.dom.minidom.

        A small document of nested entities grows to gigabytes in memory; older parsers also fetch external entities.

        Mend: parse XML from outside with the package defusedxml.

        Bad:
            from xml.dom import minidom

            def read(body):
                return minidom.parseString(body)

        Good:
            from defusedxml import minidom

            def read(body):
                return minidom.parseString(body)
        """,
    ),
    Row(
        id="B319",
        severity="medium",
        cwe=20,
        owasp=XML_ENTITIES,
        page="blacklists/blacklist_calls.html#b313-b320-xml-bad-pulldom",
        covered_by=XXE,
        doc="""
        XML is parsed by xml.dom.pulldom.

        A small document of nested entities grows to gigabytes in memory; older parsers also fetch external entities.

        Mend: parse XML from outside with the package defusedxml.

        Bad:
            from xml.dom import pulldom

            def read(body):
                return pulldom.parseString(body)

        Good:
            from defusedxml import pulldom

            def read(body):
                return pulldom.parseString(body)
        """,
    ),
    Row(
        id="B321",
        severity="high",
        cwe=319,
        owasp=CRYPTOGRAPHY,
        page="blacklists/blacklist_calls.html#b321-ftplib",
        doc="""
        An FTP connection is opened.

        FTP sends everything, passwords included, in the clear.

        Mend: use SFTP, or HTTPS.

        Bad:
            import ftplib

            session = ftplib.FTP("files.example")

        Good:
            import paramiko

            session = paramiko.SSHClient()
            session.connect("files.example")
            files = session.open_sftp()
        """,
    ),
    Row(
        id="B323",
        severity="medium",
        cwe=295,
        owasp=AUTHENTICATION,
        page="blacklists/blacklist_calls.html#b323-unverified-context",
        covered_by=TLS,
        doc="""
        TLS connections are made without checking the certificate.

        Anyone between the two sides can answer in the other's name, read everything and change it.

        Mend: use ssl.create_default_context, with the certificate of your own authority loaded where one is needed.

        Bad:
            import ssl

            context = ssl._create_unverified_context()

        Good:
            import ssl

            context = ssl.create_default_context()
        """,
    ),
    Row(
        id="B324",
        severity="high",
        cwe=327,
        owasp=CRYPTOGRAPHY,
        page="plugins/b324_hashlib.html",
        covered_by=HASHES,
        doc="""
        A broken hash (MD4, MD5, SHA-1) is used where it may protect something.

        Two inputs with the same hash can be made at will, so that the hash proves nothing.

        Mend: use SHA-256 or better; say usedforsecurity=False where the hash is only a checksum or a cache key.

        Bad:
            import hashlib

            def signature(body):
                return hashlib.md5(body).hexdigest()

        Good:
            import hashlib

            def signature(body):
                return hashlib.sha256(body).hexdigest()
        """,
    ),
    Row(
        id="B401",
        severity="high",
        cwe=319,
        owasp=CRYPTOGRAPHY,
        page="blacklists/blacklist_imports.html#b401-import-telnetlib",
        doc="""
        The module telnetlib is imported.

        Telnet sends everything, passwords included, in the clear; Python 3.13 no longer has the module.

        Mend: use SSH.

        Bad:
            import telnetlib

        Good:
            import paramiko
        """,
    ),
    Row(
        id="B402",
        severity="high",
        cwe=319,
        owasp=CRYPTOGRAPHY,
        page="blacklists/blacklist_imports.html#b402-import-ftplib",
        doc="""
        The module ftplib is imported.

        FTP sends everything, passwords included, in the clear.

        Mend: use SFTP, or HTTPS.

        Bad:
            import ftplib

        Good:
            import paramiko
        """,
    ),
    Row(
        id="B403",
        severity="low",
        cwe=502,
        owasp=INTEGRITY,
        page="blacklists/blacklist_imports.html#b403-import-pickle",
        covered_by=DESERIALIZATION,
        doc="""
        A module that unpickles (pickle, dill, shelve) is imported.

        A pickle says which functions to call while it is read: one made by an attacker runs the attacker's code.

        Mend: exchange data as JSON.

        Bad:
            import pickle

        Good:
            import json
        """,
    ),
    Row(
        id="B404",
        severity="low",
        cwe=78,
        owasp=INJECTION,
        page="blacklists/blacklist_imports.html#b404-import-subprocess",
        covered_by=COMMANDS,
        doc="""
        The module subprocess is imported.

        It starts other programs: each use deserves a look at where its command line comes from.

        Mend: use a library instead of a program where there is one; pass lists of arguments, never a shell line.

        Bad:
            import subprocess

        Good:
            import zipfile
        """,
    ),
    Row(
        id="B405",
        severity="low",
        cwe=20,
        owasp=XML_ENTITIES,
        page="blacklists/blacklist_imports.html#b405-import-xml-etree",
        covered_by=XXE,
        doc="""
        The XML parser xml.etree is imported.

        A small document of nested entities grows to gigabytes in memory; older parsers also fetch external entities.

        Mend: parse XML from outside with the package defusedxml.

        Bad:
            import xml.etree.ElementTree

        Good:
            import defusedxml.ElementTree
        """,
    ),
    Row(
        id="B406",
        severity="low",
        cwe=20,
        owasp=XML_ENTITIES,
        page="blacklists/blacklist_imports.html#b406-import-xml-sax",
        covered_by=XXE,
        doc="""
        The XML parser xml.sax is imported.

        A small document of nested entities grows to gigabytes in memory; older parsers also fetch external entities.

        Mend: parse XML from outside with the package defusedxml.

        Bad:
            import xml.sax

        Good:
            import defusedxml.sax
        """,
    ),
    Row(
        id="B407",
        severity="low",
        cwe=20,
        owasp=XML_ENTITIES,
        page="blacklists/blacklist_imports.html#b407-import-xml-expat",
        covered_by=XXE,
        doc="""
        The XML parser xml.dom.expatbuilder is imported.

        A small document of nested entities grows to gigabytes in memory; older parsers also fetch external entities.

        Mend: parse XML from outside with the package defusedxml.

        Bad:
            from xml.dom import expatbuilder

        Good:
            from defusedxml import expatbuilder
        """,
    ),
    Row(
        id="B408",
        severity="low",
        cwe=20,
        owasp=XML_ENTITIES,
        page="blacklists/blacklist_imports.html#b408-import-xml-minidom",
        covered_by=XXE,
        doc="""
        The XML parser xml.dom.minidom is imported.

        A small document of nested entities grows to gigabytes in memory; older parsers also fetch external entities.

        Mend: parse XML from outside with the package defusedxml.

        Bad:
            from xml.dom import minidom

        Good:
            from defusedxml import minidom
        """,
    ),
    Row(
        id="B409",
        severity="low",
        cwe=20,
        owasp=XML_ENTITIES,
        page="blacklists/blacklist_imports.html#b409-import-xml-pulldom",
        covered_by=XXE,
        doc="""
        The XML parser xml.dom.pulldom is imported.

        A small document of nested entities grows to gigabytes in memory; older parsers also fetch external entities.

        Mend: parse XML from outside with the package defusedxml.

        Bad:
            from xml.dom import pulldom

        Good:
            from defusedxml import pulldom
        """,
    ),
    Row(
        id="B411",
        severity="high",
        cwe=20,
        owasp=XML_ENTITIES,
        page="blacklists/blacklist_imports.html#b411-import-xmlrpclib",
        doc="""
        The module xmlrpc is imported.

        Its parser expands nested entities and compressed bodies without limit: a small request fills the memory.

        Mend: offer JSON over HTTP, or call defusedxml.xmlrpc.monkey_patch before.

        Bad:
            import xmlrpc.server

        Good:
            import http.server
        """,
    ),
    Row(
        id="B412",
        severity="high",
        cwe=284,
        owasp=CONFIGURATION,
        page="blacklists/blacklist_imports.html#b412-import-httpoxy",
        doc="""
        A CGI handler is imported.

        CGI passes a client's Proxy header on as HTTP_PROXY: outgoing requests then go through the client (httpoxy).

        Mend: serve the application by WSGI or ASGI.

        Bad:
            from wsgiref.handlers import CGIHandler

        Good:
            from wsgiref.simple_server import make_server
        """,
    ),
    Row(
        id="B413",
        severity="high",
        cwe=327,
        owasp=CRYPTOGRAPHY,
        page="blacklists/blacklist_imports.html#b413-import-pycrypto",
        doc="""
        A module of the package Crypto (pycrypto) is imported.

        pycrypto is unmaintained since 2013 and has known holes. pycryptodome has the same name: see which is installed.

        Mend: use the package cryptography.

        Bad:
            from Crypto.Cipher import AES

        Good:
            from cryptography.fernet import Fernet
        """,
    ),
    Row(
        id="B415",
        severity="high",
        cwe=319,
        owasp=CRYPTOGRAPHY,
        page="blacklists/blacklist_imports.html#b415-import-pyghmi",
        doc="""
        The module pyghmi is imported, which speaks IPMI.

        IPMI hands out hashes of passwords to whoever asks.

        Mend: manage machines over Redfish, or keep IPMI in a network of its own.

        Bad:
            import pyghmi

        Good:
            import redfish
        """,
    ),
    Row(
        id="B501",
        severity="high",
        cwe=295,
        owasp=AUTHENTICATION,
        page="plugins/b501_request_with_no_cert_validation.html",
        covered_by=TLS,
        doc="""
        A request is made with verify=False.

        Anyone between the two sides can answer in the other's name, read everything and change it.

        Mend: leave verify out, or give it the path of your own authority's certificate.

        Bad:
            import requests

            def charge(body):
                return requests.post("https://pay.example/charge", json=body, verify=False, timeout=5)

        Good:
            import requests

            def charge(body):
                return requests.post("https://pay.example/charge", json=body, timeout=5)
        """,
    ),
    Row(
        id="B502",
        severity="medium",
        cwe=327,
        owasp=CRYPTOGRAPHY,
        page="plugins/b502_ssl_with_bad_version.html",
        doc="""
        A connection is made with a broken version of SSL or TLS.

        SSL 2 and 3, TLS 1.0 and 1.1 have known attacks; browsers and servers have dropped them.

        Mend: use ssl.create_default_context, which negotiates TLS 1.2 or newer.

        Bad:
            import ssl

            from mailer import connect

            connection = connect("mail.example", ssl_version=ssl.PROTOCOL_TLSv1)

        Good:
            import ssl

            from mailer import connect

            connection = connect("mail.example", ssl_context=ssl.create_default_context())
        """,
    ),
    Row(
        id="B503",
        severity="medium",
        cwe=327,
        owasp=CRYPTOGRAPHY,
        page="plugins/b503_ssl_with_bad_defaults.html",
        doc="""
        A function has a broken version of SSL or TLS as a default.

        A caller that says nothing connects with a protocol that has known attacks.

        Mend: take a context as the argument, made by ssl.create_default_context.

        Bad:
            import ssl

            def connect(host, version=ssl.PROTOCOL_SSLv3):
                return (host, version)

        Good:
            import ssl

            def connect(host, version=ssl.PROTOCOL_TLS_CLIENT):
                return (host, version)
        """,
    ),
    Row(
        id="B504",
        severity="low",
        cwe=327,
        owasp=CRYPTOGRAPHY,
        page="plugins/b504_ssl_with_no_version.html",
        doc="""
        ssl.wrap_socket is called without a version of the protocol.

        It then accepts the oldest that both sides know, and checks no certificate; Python 3.12 no longer has it.

        Mend: use the method wrap_socket of ssl.create_default_context().

        Bad:
            import ssl

            def secure(connection):
                return ssl.wrap_socket(connection)

        Good:
            import ssl

            def secure(connection, host):
                return ssl.create_default_context().wrap_socket(connection, server_hostname=host)
        """,
    ),
    Row(
        id="B505",
        severity="high",
        cwe=326,
        owasp=CRYPTOGRAPHY,
        page="plugins/b505_weak_cryptographic_key.html",
        doc="""
        A key is generated with too few bits.

        RSA and DSA keys under 2048 bits, and curves under 224, can be broken.

        Mend: use RSA with 3072 bits or more, or an elliptic curve such as SECP256R1 or Ed25519.

        Bad:
            from cryptography.hazmat.primitives.asymmetric import rsa

            key = rsa.generate_private_key(public_exponent=65537, key_size=512)

        Good:
            from cryptography.hazmat.primitives.asymmetric import rsa

            key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
        """,
    ),
    Row(
        id="B506",
        severity="medium",
        cwe=20,
        owasp=INTEGRITY,
        page="plugins/b506_yaml_load.html",
        covered_by=DESERIALIZATION,
        doc="""
        YAML is read by yaml.load without a safe loader.

        A document can name Python classes to create and functions to call: one made by an attacker runs code.

        Mend: use yaml.safe_load.

        Bad:
            import yaml

            def read(body):
                return yaml.load(body, Loader=yaml.Loader)

        Good:
            import yaml

            def read(body):
                return yaml.safe_load(body)
        """,
    ),
    Row(
        id="B507",
        severity="high",
        cwe=295,
        owasp=AUTHENTICATION,
        page="plugins/b507_ssh_no_host_key_verification.html",
        doc="""
        An SSH client trusts any host key.

        Anyone between the two sides can pose as the host, and gets the password.

        Mend: load the known hosts, and keep the default policy, which refuses others.

        Bad:
            import paramiko

            client = paramiko.SSHClient()
            client.set_missing_host_key_policy(paramiko.AutoAddPolicy())

        Good:
            import paramiko

            client = paramiko.SSHClient()
            client.load_host_keys("known_hosts")
        """,
    ),
    Row(
        id="B508",
        severity="medium",
        cwe=319,
        owasp=CRYPTOGRAPHY,
        page="plugins/b508_snmp_insecure_version_check.html",
        doc="""
        SNMP is used in version 1 or 2c.

        Both send the community string, their only password, in the clear.

        Mend: use SNMPv3 with authentication and privacy (UsmUserData).

        Bad:
            from pysnmp.hlapi import CommunityData

            access = CommunityData("public", mpModel=0)

        Good:
            from pysnmp.hlapi import UsmUserData

            def access(user, key, privacy):
                return UsmUserData(user, key, privacy)
        """,
    ),
    Row(
        id="B509",
        severity="medium",
        cwe=319,
        owasp=CRYPTOGRAPHY,
        page="plugins/b509_snmp_crypto_check.html",
        doc="""
        SNMPv3 is used without encryption.

        With noAuthNoPriv or authNoPriv, all that is asked and answered crosses the network in the clear.

        Mend: pass an authentication key and a privacy key to UsmUserData.

        Bad:
            from pysnmp.hlapi import UsmUserData

            def access(user):
                return UsmUserData(user)

        Good:
            from pysnmp.hlapi import UsmUserData

            def access(user, key, privacy):
                return UsmUserData(user, key, privacy)
        """,
    ),
    Row(
        id="B601",
        severity="medium",
        cwe=78,
        owasp=INJECTION,
        page="plugins/b601_paramiko_calls.html",
        covered_by=COMMANDS,
        doc="""
        A command is run on another machine by paramiko.

        The other side's shell reads the line: input that becomes part of it can add commands of its own.

        Mend: quote each argument with shlex.quote, or transfer files by SFTP.

        Bad:
            import paramiko

            def remove(client: paramiko.SSHClient, name):
                client.exec_command("rm " + name)

        Good:
            import paramiko

            def remove(client: paramiko.SSHClient, name):
                client.open_sftp().remove(name)
        """,
    ),
    Row(
        id="B602",
        severity="high",
        cwe=78,
        owasp=INJECTION,
        page="plugins/b602_subprocess_popen_with_shell_equals_true.html",
        covered_by=COMMANDS,
        doc="""
        A program is started through a shell.

        The shell reads the whole line: input that becomes part of it can add commands of its own.

        Mend: pass a list of arguments, without shell=True.

        Bad:
            import subprocess

            def convert(name):
                subprocess.run("convert " + name + " out.png", shell=True)

        Good:
            import subprocess

            def convert(name):
                subprocess.run(["convert", "--", name, "out.png"], check=True)
        """,
    ),
    Row(
        id="B603",
        severity="low",
        cwe=78,
        owasp=INJECTION,
        page="plugins/b603_subprocess_without_shell_equals_true.html",
        covered_by=COMMANDS,
        doc="""
        A program is started.

        No shell is involved, but input still chooses what the program does where it becomes an argument or an option.

        Mend: fix the program's path, check the arguments, and put "--" before those from outside; or use a library.

        Bad:
            import subprocess

            def convert(name):
                subprocess.run(["/usr/bin/convert", name, "out.png"], check=True)

        Good:
            from PIL import Image

            def convert(file):
                Image.open(file).save("out.png")
        """,
    ),
    Row(
        id="B604",
        severity="medium",
        cwe=78,
        owasp=INJECTION,
        page="plugins/b604_any_other_function_with_shell_equals_true.html",
        covered_by=COMMANDS,
        doc="""
        A function is called with shell=True.

        It probably hands a line to a shell: input that becomes part of it can add commands of its own.

        Mend: pass a list of arguments, without a shell.

        Bad:
            from tools import start

            def convert(name):
                start("convert " + name, shell=True)

        Good:
            from tools import start

            def convert(name):
                start(["convert", "--", name])
        """,
    ),
    Row(
        id="B605",
        severity="high",
        cwe=78,
        owasp=INJECTION,
        page="plugins/b605_start_process_with_a_shell.html",
        covered_by=COMMANDS,
        doc="""
        A program is started by a function that always uses a shell.

        os.system and its like give the whole line to a shell: input that becomes part of it can add commands.

        Mend: use subprocess.run with a list of arguments.

        Bad:
            import os

            def convert(name):
                os.system("convert " + name + " out.png")

        Good:
            import subprocess

            def convert(name):
                subprocess.run(["convert", "--", name, "out.png"], check=True)
        """,
    ),
    Row(
        id="B606",
        severity="low",
        cwe=78,
        owasp=INJECTION,
        page="plugins/b606_start_process_with_no_shell.html",
        covered_by=COMMANDS,
        doc="""
        The process is replaced or another is started by a function of os.

        Input that chooses the program or its arguments chooses what runs.

        Mend: fix the program's path, and check the arguments; or use a library.

        Bad:
            import os

            def serve(program, arguments):
                os.execv(program, arguments)

        Good:
            import runpy

            def serve():
                runpy.run_module("server")
        """,
    ),
    Row(
        id="B607",
        severity="low",
        cwe=78,
        owasp=INJECTION,
        page="plugins/b607_start_process_with_partial_path.html",
        covered_by=COMMANDS,
        doc="""
        A program is started by its bare name.

        Which program that is depends on PATH: whoever can change it, or a folder in it, chooses what runs.

        Mend: give the full path.

        Bad:
            import subprocess

            subprocess.run(["convert", "in.jpg", "out.png"], check=True)

        Good:
            import subprocess

            subprocess.run(["/usr/bin/convert", "in.jpg", "out.png"], check=True)
        """,
    ),
    Row(
        id="B608",
        severity="medium",
        cwe=89,
        owasp=INJECTION,
        page="plugins/b608_hardcoded_sql_expressions.html",
        covered_by=SQL,
        doc="""
        SQL is built by putting strings together.

        Input that becomes part of the text can change what the statement does: read other tables, or change them.

        Mend: leave placeholders in the text, and pass the values beside it.

        Bad:
            def find(cursor, name):
                cursor.execute("SELECT id FROM users WHERE name = '%s'" % name)

        Good:
            def find(cursor, name):
                cursor.execute("SELECT id FROM users WHERE name = %s", [name])
        """,
    ),
    Row(
        id="B609",
        severity="high",
        cwe=155,
        owasp=INJECTION,
        page="plugins/b609_linux_commands_wildcard_injection.html",
        covered_by=COMMANDS,
        doc="""
        A shell expands a wildcard for a command such as tar or chown.

        A file named like an option (--checkpoint-action=…) becomes one: whoever can create files runs commands.

        Mend: list the files in Python, and pass them after "--".

        Bad:
            import os

            os.system("tar cf backup.tar *")

        Good:
            import tarfile

            with tarfile.open("backup.tar", "w") as archive:
                archive.add("uploads")
        """,
    ),
    Row(
        id="B610",
        severity="medium",
        cwe=89,
        owasp=INJECTION,
        page="plugins/b610_django_extra_used.html",
        covered_by=SQL,
        doc="""
        SQL reaches Django's QuerySet.extra that is not a plain literal.

        Input that becomes part of the text can change what the statement does.

        Mend: use filter and annotate; pass values in params where extra is unavoidable.

        Bad:
            from shop.models import Order

            def search(name):
                return Order.objects.extra(where=["name = '%s'" % name])

        Good:
            from shop.models import Order

            def search(name):
                return Order.objects.filter(name=name)
        """,
    ),
    Row(
        id="B611",
        severity="medium",
        cwe=89,
        owasp=INJECTION,
        page="plugins/b611_django_rawsql_used.html",
        covered_by=SQL,
        doc="""
        SQL reaches Django's RawSQL that is not a plain literal.

        Input that becomes part of the text can change what the statement does.

        Mend: leave %s in the text, and pass the values as the second argument.

        Bad:
            from django.db.models.expressions import RawSQL

            def rank(field):
                return RawSQL("SELECT count(*) FROM votes WHERE kind = '" + field + "'", [])

        Good:
            from django.db.models.expressions import RawSQL

            def rank(field):
                return RawSQL("SELECT count(*) FROM votes WHERE kind = %s", [field])
        """,
    ),
    Row(
        id="B612",
        severity="medium",
        cwe=94,
        owasp=INJECTION,
        page="plugins/b612_logging_config_insecure_listen.html",
        doc="""
        logging.config.listen accepts configurations from any local process.

        A configuration can name code to evaluate: any account on the machine runs code as the server.

        Mend: pass verify= with a function that checks a signature.

        Bad:
            import logging.config

            thread = logging.config.listen(9999)

        Good:
            import logging.config

            from shop.signing import checked

            thread = logging.config.listen(9999, verify=checked)
        """,
    ),
    Row(
        id="B613",
        severity="high",
        cwe=838,
        owasp=INTEGRITY,
        page="plugins/b613_trojansource.html",
        doc="""
        The file has invisible characters that turn the direction of writing.

        An editor shows other code than Python runs: a reviewer approves what is not there (Trojan Source).

        Mend: remove them, or write them as escapes such as \\u202e in strings.

        Bad:
            def allowed(user):
                level = "user\u202e \u2066# only admins\u2069 \u2066"
                return user.level != level

        Good:
            def allowed(user):
                return user.level != "user"
        """,
    ),
    Row(
        id="B614",
        severity="medium",
        cwe=502,
        owasp=INTEGRITY,
        page="plugins/b614_pytorch_load.html",
        doc="""
        A model is loaded by torch.load, which unpickles.

        A pickle says which functions to call while it is read: a model made by an attacker runs the attacker's code.

        Mend: pass weights_only=True, or use the format safetensors.

        Bad:
            import torch

            def model(path):
                return torch.load(path)

        Good:
            import torch

            def model(path):
                return torch.load(path, weights_only=True)
        """,
    ),
    Row(
        id="B615",
        severity="medium",
        cwe=494,
        owasp=SUPPLY_CHAIN,
        page="plugins/b615_huggingface_unsafe_download.html",
        doc="""
        A model or data set is downloaded from Hugging Face without a fixed revision.

        Its owner, or whoever takes the account over, can change what you get from one start to the next.

        Mend: pass revision= with the hash of a commit.

        Bad:
            from transformers import AutoModel

            model = AutoModel.from_pretrained("org/model")

        Good:
            from transformers import AutoModel

            model = AutoModel.from_pretrained("org/model", revision="5d0f2e8a7f1cd86b0a9b7f1d5a1c1f3e8a9b7c6d")
        """,
    ),
    Row(
        id="B701",
        severity="high",
        cwe=94,
        owasp=INJECTION,
        page="plugins/b701_jinja2_autoescape_false.html",
        covered_by=XSS,
        doc="""
        A Jinja environment does not escape HTML.

        Jinja escapes nothing unless told: a user's script in any value runs in other people's browsers.

        Mend: pass autoescape=select_autoescape(), or use the framework's own templates.

        Bad:
            from jinja2 import Environment

            templates = Environment()

        Good:
            from jinja2 import Environment, select_autoescape

            templates = Environment(autoescape=select_autoescape())
        """,
    ),
    Row(
        id="B702",
        severity="medium",
        cwe=80,
        owasp=INJECTION,
        page="plugins/b702_use_of_mako_templates.html",
        covered_by=XSS,
        doc="""
        A Mako template is used, which escapes nothing by default.

        A user's script in any value runs in other people's browsers.

        Mend: pass default_filters=["h"] through a TemplateLookup, or use Jinja with autoescape.

        Bad:
            from mako.template import Template

            page = Template("Hello ${name}")

        Good:
            from mako.lookup import TemplateLookup

            pages = TemplateLookup(["templates"], default_filters=["h"])
        """,
    ),
    Row(
        id="B703",
        severity="medium",
        cwe=80,
        owasp=INJECTION,
        page="plugins/b703_django_mark_safe.html",
        covered_by=XSS,
        doc="""
        Text that is not constant is exempted from Django's HTML escaping by mark_safe.

        Where a user's input is part of the text, the user's script runs in other people's browsers.

        Mend: build markup with format_html, which escapes what is put in.

        Bad:
            from django.utils.safestring import mark_safe

            def badge(user):
                return mark_safe("<b>" + user.name + "</b>")

        Good:
            from django.utils.html import format_html

            def badge(user):
                return format_html("<b>{}</b>", user.name)
        """,
    ),
    Row(
        id="B704",
        severity="medium",
        cwe=79,
        owasp=INJECTION,
        page="plugins/b704_markupsafe_markup_xss.html",
        covered_by=XSS,
        doc="""
        Text that is not constant is exempted from HTML escaping by Markup.

        Where a user's input is part of the text, the user's script runs in other people's browsers.

        Mend: write the markup as a literal, and put values in with its method format, which escapes them.

        Bad:
            from markupsafe import Markup

            def badge(user):
                return Markup(f"<b>{user.name}</b>")

        Good:
            from markupsafe import Markup

            def badge(user):
                return Markup("<b>{}</b>").format(user.name)
        """,
    ),
)
