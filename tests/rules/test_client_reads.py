"""What a client sends is known for what it is, by whichever of a framework's ways it is read."""

from __future__ import annotations

import pytest

from backaudit import plugins
from backaudit.testing import scan

LOADED = plugins.load(reraise=True)
SQL = [rule for rule in LOADED.rules if rule.name == "sql-injection"]

_STORE = 'import sqlite3\n\ndb = sqlite3.connect("app.db")\n'
_USE = """x = {read}
        db.execute("SELECT id FROM t WHERE a = '" + x + "'")
"""
# By framework: what stands before, one handler (``N``: its number, ``USE``: what it does), and what stands behind.
PROGRAMS = {
    "flask": (
        "from flask import Flask, request\n\napp = Flask(__name__)\n",
        '\n\n@app.post("/rN/<name>")\ndef rN(name):\n    if True:\n        USE    return "ok"\n',
        "",
    ),
    "quart": (
        "from quart import Quart, request, websocket\n\napp = Quart(__name__)\n",
        '\n\n@app.post("/rN/<name>")\nasync def rN(name):\n    if True:\n        USE    return "ok"\n',
        "",
    ),
    "fastapi": (
        "from fastapi import Body, Cookie, FastAPI, File, Form, Header, Request, UploadFile\n\napp = FastAPI()\n",
        '\n\n@app.post("/rN/{name}")\nasync def rN(request: Request, name: str, q: str = "", h: str = Header(),'
        " c: str = Cookie(), b: str = Body(), f: str = Form(), u: UploadFile = File()):\n"
        '    if True:\n        USE    return "ok"\n',
        "",
    ),
    "starlette websocket": (
        "from fastapi import FastAPI, WebSocket\n\napp = FastAPI()\n",
        '\n\n@app.websocket("/rN/{name}")\nasync def rN(websocket: WebSocket, name: str):\n    if True:\n        USE',
        "",
    ),
    "aiohttp": (
        "from aiohttp import web\n\napp = web.Application()\n",
        '\n\nasync def rN(request):\n    if True:\n        USE    return web.Response(text="ok")\n\n\n'
        'app.router.add_post("/rN/{name}", rN)\n',
        "",
    ),
    "tornado": (
        "import json\n\nimport tornado.escape\nimport tornado.web\n",
        "\n\nclass RN(tornado.web.RequestHandler):\n    def post(self, name):\n        USE        self.write('ok')\n",
        '\n\napp = tornado.web.Application([(r"/r0/(.*)", R0), ROUTES])\n',
    ),
    "sanic": (
        'from sanic import Sanic\nfrom sanic.response import text\n\napp = Sanic("a")\n',
        '\n\n@app.post("/rN/<name>")\nasync def rN(request, name):\n    if True:\n        USE    return text("ok")\n',
        "",
    ),
    "falcon": (
        "import falcon\n\napp = falcon.App()\n",
        "\n\nclass RN:\n    def on_post(self, req, resp, name):\n        USE        resp.text = 'ok'\n\n\n"
        'app.add_route("/rN/{name}", RN())\n',
        "",
    ),
    "bottle": (
        "from bottle import Bottle, request\n\napp = Bottle()\n",
        '\n\n@app.post("/rN/<name>")\ndef rN(name):\n    if True:\n        USE    return "ok"\n',
        "",
    ),
    "pyramid": (
        "from pyramid.config import Configurator\nfrom pyramid.response import Response\n"
        "from pyramid.view import view_config\n\nconfig = Configurator()\n",
        '\n\nconfig.add_route("rN", "/rN/{name}")\n\n\n@view_config(route_name="rN", request_method="POST")\n'
        'def rN(request):\n    if True:\n        USE    return Response("ok")\n',
        "",
    ),
    "django": (
        "import json\n\nfrom django.http import HttpResponse\nfrom django.urls import path\n\nurlpatterns = []\n",
        '\n\ndef rN(request, name):\n    if True:\n        USE    return HttpResponse("ok")\n\n\n'
        'urlpatterns.append(path("rN/<str:name>/", rN))\n',
        "",
    ),
    "rest_framework": (
        "from django.urls import path\nfrom rest_framework.decorators import api_view\n"
        "from rest_framework.response import Response\n\nurlpatterns = []\n",
        '\n\n@api_view(["POST"])\ndef rN(request, name):\n    if True:\n        USE    return Response({})\n\n\n'
        'urlpatterns.append(path("rN/<str:name>/", rN))\n',
        "",
    ),
}
READS = {
    "flask": """
        name; request.args.get("a"); request.args["a"]; request.args.getlist("a")[0]; request.args.to_dict()["a"]
        request.form["a"]; request.values["a"]; request.json["a"]; request.get_json()["a"]; request.data.decode()
        request.get_json(force=True).get("a"); request.get_data(as_text=True); request.files["f"].filename
        request.headers["X"]; request.headers.get("X"); request.cookies.get("a"); request.view_args["name"]
        request.path; request.full_path; request.url; request.query_string.decode(); request.stream.read().decode()
        request.authorization.username; request.authorization["username"]; request.referrer; request.base_url
        request.user_agent.string; dict(request.form)["a"]; request.form.to_dict(flat=True)["a"]
        list(request.args.values())[0]; request.get_json(silent=True)["a"]["b"][0]; next(iter(request.args))
    """,
    "quart": """
        name; request.args.get("a"); (await request.form)["a"]; (await request.get_json())["a"]; request.headers["X"]
        (await request.json)["a"]; (await request.get_data()).decode(); (await request.data).decode()
        (await request.files)["f"].filename; request.cookies.get("a"); await websocket.receive()
        (await websocket.receive_json())["a"]
    """,
    "fastapi": """
        name; q; h; c; b; f; u.filename; request.query_params["a"]; request.query_params.get("a")
        request.path_params["name"]; (await request.json())["a"]; (await request.form())["a"]
        (await request.body()).decode(); request.headers["x"]; request.headers.get("x"); request.cookies["a"]
        request.url.path; str(request.url); request.url.query; request.query_params.getlist("a")[0]
        dict(request.query_params)["a"]; [part async for part in request.stream()][0].decode()
    """,
    "starlette websocket": """
        name; await websocket.receive_text(); (await websocket.receive_json())["a"]; websocket.query_params["a"]
        (await websocket.receive_bytes()).decode(); websocket.headers["a"]; websocket.cookies["a"]
        websocket.path_params["name"]; (await websocket.receive())["text"]
    """,
    "aiohttp": """
        request.query["a"]; request.query.get("a"); request.rel_url.query["a"]; request.url.query["a"]
        request.match_info["name"]; request.match_info.get("name"); (await request.post())["a"]
        (await request.json())["a"]; await request.text(); (await request.read()).decode(); request.headers["x"]
        request.cookies["a"]; request.path_qs; request.query_string; str(request.rel_url); request.raw_path
        (await request.content.read()).decode(); request.query.getall("a")[0]; (await request.post())["f"].filename
    """,
    "tornado": """
        name; self.get_argument("a"); self.get_arguments("a")[0]; self.get_query_argument("a"); self.path_args[0]
        self.get_body_argument("a"); self.request.arguments["a"][0].decode(); self.request.body.decode()
        self.request.query_arguments["a"][0].decode(); json.loads(self.request.body)["a"]; self.get_cookie("a")
        tornado.escape.json_decode(self.request.body)["a"]; self.path_kwargs["name"]; self.request.headers["X"]
        self.request.cookies["a"].value; self.request.files["f"][0]["filename"]; self.request.uri; self.request.query
    """,
    "sanic": """
        name; request.args.get("a"); request.args["a"][0]; request.raw_args["a"]; request.form.get("a")
        request.json["a"]; request.json.get("a"); request.body.decode(); request.files.get("f").name
        request.headers["x"]; request.cookies.get("a"); request.token; request.query_args[0][1]
        request.get_args()["a"][0]; request.get_form()["a"][0]; request.path; request.url; request.query_string
        request.match_info["name"]; request.load_json()["a"]
    """,
    "falcon": """
        name; req.params["a"]; req.get_param("a"); req.get_param_as_list("a")[0]; req.media["a"]; req.get_media()["a"]
        req.stream.read().decode(); req.bounded_stream.read().decode(); req.cookies["a"]; req.headers["X"]
        req.get_cookie_values("a")[0]; req.get_header("X"); req.path; req.query_string; req.uri; req.relative_uri
        req.get_param_as_json("a")["b"]
    """,
    "bottle": """
        name; request.query.get("a"); request.query.a; request.query["a"]; request.forms.get("a"); request.forms.a
        request.forms.getunicode("a"); request.params["a"]; request.json["a"]; request.body.read().decode()
        request.files.get("f").filename; request.GET.get("a"); request.POST.get("a"); request.headers.get("X")
        request.get_header("X"); request.get_cookie("a"); request.cookies.a; request.query_string; request.path
        request.url; request.url_args["name"]; request.query.getall("a")[0]; request.query.decode().get("a")
    """,
    "pyramid": """
        request.params["a"]; request.params.get("a"); request.GET["a"]; request.POST["a"]; request.json_body["a"]
        request.json["a"]; request.matchdict["name"]; request.body.decode(); request.text; request.headers["X"]
        request.cookies["a"]; request.POST["f"].filename; request.url; request.query_string
        request.params.getall("a")[0]
    """,
    "django": """
        name; request.GET["a"]; request.GET.get("a"); request.GET.getlist("a")[0]; request.GET.dict()["a"]
        request.POST["a"]; request.POST.get("a"); request.body.decode(); json.loads(request.body)["a"]
        json.loads(request.body.decode("utf-8"))["a"]; request.FILES["f"].name; request.META["HTTP_X"]
        request.META.get("HTTP_X"); request.headers["X"]; request.COOKIES["a"]; request.path; request.path_info
        request.get_full_path(); request.build_absolute_uri(); request.read().decode(); request.META["QUERY_STRING"]
    """,
    "rest_framework": """
        name; request.data["a"]; request.data.get("a"); request.query_params["a"]; request.query_params.get("a")
        request.GET.get("a"); request.FILES["f"].name; request.headers.get("X"); request.META.get("HTTP_X")
        request.COOKIES.get("a"); request.data.getlist("a")[0]; request.data.dict()["a"]; request.path
        request.get_full_path(); request.build_absolute_uri(); request.read().decode()
    """,
}


@pytest.mark.parametrize("framework", sorted(PROGRAMS))
def test_every_way_to_read_a_request_is_known(framework: str) -> None:
    before, handler, behind = PROGRAMS[framework]
    reads = [read.strip() for line in READS[framework].strip().splitlines() for read in line.split(";")]
    handlers = (handler.replace("N", str(n)).replace("USE", _USE.format(read=read)) for n, read in enumerate(reads))
    routes = ", ".join(f'(r"/r{n}/(.*)", R{n})' for n in range(1, len(reads)))
    text = _STORE + before + "".join(handlers) + behind.replace("ROUTES", routes)
    lines = text.splitlines()
    found = {lines[issue.finding.place.span.line - 2].strip() for issue in scan({"app.py": text}, LOADED, SQL).issues}
    assert [read for read in reads if f"x = {read}" not in found] == []
