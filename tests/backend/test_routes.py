"""Endpoints: whole paths, methods, handlers, and where parameters come from, whatever the framework."""

from __future__ import annotations

import pytest

from backaudit.backend.web.frameworks.django import library_views
from backaudit.backend.web.paths import Style, parse
from backaudit.backend.web.records import UNMOUNTED
from backaudit.backend.web.routes import client_input, routes
from backaudit.project import Project
from tests.projects import code, project


def table(linked: Project) -> list[tuple[str, str, str]]:
    return sorted((",".join(r.methods), r.path, r.handler.function.name) for r in linked.once(routes))


def where(linked: Project, handler: str) -> dict[str, str]:
    found = next(r for r in linked.once(routes) if r.handler.function.name == handler)
    return {param.name: param.where for param in found.params}


FASTAPI = {
    "app/main.py": """
        from fastapi import FastAPI
        from app import items as things

        def create():
            api = FastAPI()
            api.include_router(things.outer, prefix="/v1")
            return api

        app = create()

        @app.get("/ping")
        def ping(): ...
        """,
    "app/items.py": """
        from typing import Annotated
        from fastapi import APIRouter, Body, Depends, File, Header, Query, Request, UploadFile, WebSocket
        from pydantic import BaseModel

        outer = APIRouter(prefix="/a")
        inner = APIRouter(prefix="/b")

        class Item(BaseModel):
            name: str

        def page(limit: int = 10, q: str = ""): ...

        Page = Annotated[dict, Depends(page)]

        @inner.put("/{item_id}", status_code=202)
        def change(item_id: int, item: Item, raw: dict, q: str, size: Annotated[int, Query(le=9)],
                   agent: Annotated[str, Header()], page: Page, request: Request, up: UploadFile, n: str = Body()): ...

        @inner.websocket("/ws")
        def talk(socket: WebSocket): ...

        def late(): ...

        inner.add_api_route("/late", late, methods=["POST"])
        outer.include_router(inner)
        """,
}


def test_fastapi_routers_under_routers_give_whole_paths() -> None:
    assert table(project(FASTAPI)) == [
        ("GET", "/ping", "ping"),
        ("POST", "/v1/a/b/late", "late"),
        ("PUT", "/v1/a/b/{item_id}", "change"),
        ("WEBSOCKET", "/v1/a/b/ws", "talk"),
    ]


def test_fastapi_parameters_come_from_where_the_framework_takes_them() -> None:
    linked = project(FASTAPI)
    assert where(linked, "change") == {
        "item_id": "path", "item": "body", "raw": "body", "q": "query", "size": "query", "agent": "header",
        "page": "injected", "request": "request", "up": "file", "n": "body",
    }  # fmt: skip
    route = next(r for r in linked.once(routes) if r.handler.function.name == "change")
    assert [p.name for p in route.params if p.schema] == ["item"]
    assert [p.name for p in route.params if p.bounded] == ["size"]
    assert route.status == 202


def test_a_dependency_gets_the_clients_parameters_too() -> None:
    linked = project(FASTAPI)
    limit = client_input(linked, code(linked, "app.items.page"), 0)
    assert limit is not None
    assert (limit.name, limit.where, limit.types) == ("limit", "query", ("builtins.int",))
    assert client_input(linked, code(linked, "app.main.create"), 0) is None


def test_flask_blueprints_rules_and_class_views() -> None:
    linked = project(
        {
            "shop/__init__.py": """
                from flask import Flask
                from shop.views import bp, Things

                app = Flask(__name__)
                app.register_blueprint(bp, url_prefix="/shop")
                app.add_url_rule("/things/<uuid:key>", view_func=Things.as_view("things"))
                """,
            "shop/views.py": """
                from flask import Blueprint
                from flask.views import MethodView

                bp = Blueprint("shop", __name__, url_prefix="/ignored")

                @bp.route("/<int:number>/<name>", methods=["GET", "POST"])
                def show(number, name, user): ...

                class Things(MethodView):
                    def get(self, key): ...
                    def delete(self, key): ...
                """,
        }
    )
    assert table(linked) == [
        ("DELETE", "/things/{key}", "delete"),
        ("GET", "/things/{key}", "get"),
        ("GET,POST", "/shop/{number}/{name}", "show"),
    ]
    show = next(r for r in linked.once(routes) if r.handler.function.name == "show")
    assert [(p.name, p.where, p.types) for p in show.params] == [
        ("number", "path", ("builtins.int",)), ("name", "path", ()), ("user", "injected", ()),
    ]  # fmt: skip


def test_flask_restful_resources_through_a_function_of_the_project() -> None:
    linked = project(
        """
        from flask import Flask
        from flask_restful import Api, Resource

        app = Flask(__name__)

        class Mine(Api):
            def add(self, resource, *urls):
                return self.add_resource(resource, *urls)

        api = Mine(app, prefix="/api")

        class Job(Resource):
            def post(self): ...

        api.add(Job, "/jobs", "/work")
        """
    )
    assert table(linked) == [("POST", "/api/jobs", "post"), ("POST", "/api/work", "post")]


DJANGO = {
    "site/settings.py": "ROOT_URLCONF = 'site.urls'\nINSTALLED_APPS = []\n",
    "site/urls.py": """
        from django.urls import include, path, re_path
        from blog.urls import router

        urlpatterns = [
            path("blog/", include("blog.urls")),
            path("api/", include(router.urls)),
            path("accounts/", include("django.contrib.auth.urls")),
        ]
        """,
    "blog/urls.py": r"""
        from django.urls import path, re_path
        from rest_framework.routers import DefaultRouter
        from blog import views

        router = DefaultRouter()
        router.register(r"posts", views.PostSet)
        urlpatterns = [
            path("<slug:slug>/", views.show),
            re_path(r"^old/(?P<year>\d{4})/$", views.old),
            path("edit/<int:pk>/", views.Edit.as_view()),
        ]
        """,
    "blog/views.py": """
        from django.views.decorators.http import require_POST
        from django.views.generic import UpdateView
        from rest_framework.decorators import action
        from rest_framework.viewsets import ReadOnlyModelViewSet

        @require_POST
        def show(request, slug): ...

        def old(request, year): ...

        class Edit(UpdateView):
            pass

        class PostSet(ReadOnlyModelViewSet):
            @action(detail=True, methods=["post"])
            def like(self, request, pk): ...
        """,
}


def test_django_follows_includes_routers_and_generic_views() -> None:
    linked = project(DJANGO)
    assert [(m, path) for m, path, _ in table(linked)] == [
        ("", "/blog/old/{year}/"),
        ("GET", "/api/posts/"),
        ("GET", "/api/posts/{pk}/"),
        ("GET", "/blog/edit/{pk}/"),
        ("POST", "/api/posts/{pk}/like/"),
        ("POST", "/blog/edit/{pk}/"),
        ("POST", "/blog/{slug}/"),
        ("PUT", "/blog/edit/{pk}/"),
    ]
    old = next(r for r in linked.once(routes) if r.handler.function.name == "old")
    assert [(p.name, p.where, p.types) for p in old.params] == [
        ("request", "request", ()), ("year", "path", ("builtins.int",)),
    ]  # fmt: skip
    assert [(view.name, view.path) for view in linked.once(library_views)] == [
        ("rest_framework.routers.APIRootView", "/api/"),
        ("django.contrib.auth.urls", "/accounts/"),
    ]


def test_aiohttp_routes_by_call_table_and_decorator() -> None:
    linked = project(
        """
        from aiohttp import web

        table = web.RouteTableDef()

        @table.get("/a/{name}")
        async def one(request): ...

        async def two(request): ...

        def setup(app):
            app.router.add_route("PUT", r"/b/{number:\\d+}", two)
            app.add_routes([web.post("/c", two)])
        """
    )
    assert table(linked) == [("GET", "/a/{name}", "one"), ("POST", "/c", "two"), ("PUT", "/b/{number}", "two")]


def test_socket_events_and_validators_are_given_the_clients_data() -> None:
    linked = project(
        """
        from flask_socketio import SocketIO
        from rest_framework import serializers

        socketio = SocketIO()

        @socketio.on("message")
        def said(data): ...

        class Form(serializers.Serializer):
            def validate_name(self, value): ...
        """
    )
    for name, index in (("app.said", 0), ("app.Form.validate_name", 1)):
        found = client_input(linked, code(linked, name), index)
        assert found is not None
        assert found.where == "body"


@pytest.mark.parametrize(
    ("text", "style", "shown", "types"),
    [
        ("/a/{id:int}/{rest:path}", "braces", "/a/{id}/{rest}", {"id": ("builtins.int",), "rest": ()}),
        ("/<int:a>/<b>", "angle", "/{a}/{b}", {"a": ("builtins.int",), "b": ()}),
        ("/<a:int>/<b>", "angle-reversed", "/{a}/{b}", {"a": ("builtins.int",), "b": ()}),
        (r"^x/(?P<n>[0-9]+)/(?:y|z)/(.*)$", "regex", "x/{n}//{0}", {"n": ("builtins.int",), "0": ()}),
    ],
)
def test_path_templates(text: str, style: Style, shown: str, types: dict[str, tuple[str, ...]]) -> None:
    found = parse(text, style)
    assert (found.text, found.types) == (shown, types)


def test_frameworks_that_are_only_a_table() -> None:
    sanic = """
        from sanic import Blueprint, Sanic

        app = Sanic("shop")
        bp = Blueprint("items", url_prefix="/items")

        @bp.get("/<number:int>")
        async def item(request, number): ...

        app.blueprint(bp)
        """
    bottle = """
        from bottle import Bottle, get

        app = Bottle()

        @get("/a/<name>")
        def one(name): ...

        @app.post("/b")
        def two(): ...
        """
    falcon = """
        import falcon

        class Things:
            def on_get(self, req, resp, key): ...

        app = falcon.App()
        app.add_route("/things/{key}", Things())
        """
    assert table(project(sanic)) == [("GET", "/items/{number}", "item")]
    assert table(project(bottle)) == [("GET", "/a/{name}", "one"), ("POST", "/b", "two")]
    assert table(project(falcon)) == [("GET", "/things/{key}", "on_get")]


def test_paths_that_a_helper_collects_and_changes() -> None:
    linked = project(
        """
        from flask import Flask
        from flask_restful import Api, Resource

        def scoped(rule):
            return "/<org>{}".format(rule)

        class OwnApi(Api):
            def add_scoped(self, resource, *urls, **kwargs):
                urls = [scoped(url) for url in urls]
                return self.add_resource(resource, *urls, **kwargs)

        api = OwnApi(Flask(__name__))

        class Things(Resource):
            def get(self, org): ...

        api.add_scoped(Things, "/things", "/all-things", endpoint="things")
        """
    )
    assert table(linked) == [("GET", "/{org}/all-things", "get"), ("GET", "/{org}/things", "get")]


def test_applications_that_callers_pass_and_folders_of_apps() -> None:
    linked = project(
        {
            "web/routes.py": """
            from web.views import index
            def setup_routes(app):
                app.router.add_get("/", index)
            """,
            "web/views.py": "async def index(request): ...\n",
            "web/main.py": """
            from aiohttp import web
            from web.routes import setup_routes
            app = web.Application()
            setup_routes(app)
            """,
            "site/config/settings.py": "ROOT_URLCONF = 'config.urls'\n",
            "site/config/urls.py": """
            from django.urls import include, path
            def extended(patterns):
                return patterns + []
            urlpatterns = [path("api/", include(("shop.urls", "shop")))]
            urlpatterns = extended(urlpatterns)
            """,
            "site/apps/shop/urls.py": """
            from django.urls import path
            from shop import views
            urlpatterns = [path("items/", views.items)]
            """,
            "site/apps/shop/views.py": "def items(request): ...\n",
        }
    )
    assert [(path, UNMOUNTED in r.tags) for r in linked.once(routes) for path in [r.path]] == [
        ("/api/items/", False),
        ("/", False),
    ]


def test_the_root_that_stands_in_where_the_environment_names_none() -> None:
    linked = project(
        {
            "site/config/settings.py": """
            import os
            ROOT_URLCONF = os.environ.get("ROOT_URLCONF", "config.urls")
            """,
            "site/config/urls.py": """
            from django.urls import path
            from config import views
            urlpatterns = [path("items/", views.items)]
            """,
            "site/config/views.py": "def items(request): ...\n",
            "site/other/settings.py": "ROOT_URLCONF = 'other.urls'\n",
            "site/other/urls.py": "urlpatterns = []\n",
        }
    )
    assert [(route.path, UNMOUNTED in route.tags) for route in linked.once(routes)] == [("/items/", False)]


def test_of_a_partial_the_function_is_the_view_and_not_what_it_is_given() -> None:
    linked = project(
        {
            "shop/settings.py": "ROOT_URLCONF = 'shop.urls'\n",
            "shop/urls.py": """
            from django.urls import path
            from shop import views
            urlpatterns = [path("fine", views.fine)]
            """,
            "shop/views.py": """
            from functools import partial
            def task(): ...
            def show(request, task, message): ...
            fine = partial(show, task=task, message="fine")
            """,
        }
    )
    assert [route.handler.function.name for route in linked.once(routes)] == ["show"]


def test_rows_that_are_unpacked_into_a_registration() -> None:
    linked = project(
        """
        from flask import Flask
        from flask_restful import Api, Resource

        class One(Resource):
            def get(self): ...

        class Two(Resource):
            def post(self, number): ...

        rows = ((One, "/one"), (Two, "/two/<int:number>", "/deux/<int:number>"))
        api = Api(Flask(__name__))
        [api.add_resource(*row) for row in rows]
        """
    )
    assert table(linked) == [
        ("GET", "/one", "get"), ("POST", "/deux/{number}", "post"), ("POST", "/two/{number}", "post")
    ]  # fmt: skip


def test_a_constructor_of_the_base_that_is_called_by_its_name() -> None:
    linked = project(
        """
        import tornado.web

        class Health(tornado.web.RequestHandler):
            def get(self): ...

        handlers = [(r"/health", Health)]

        class Application(tornado.web.Application):
            def __init__(self):
                tornado.web.Application.__init__(self, handlers, debug=True)
        """
    )
    assert table(linked) == [("GET", "/health", "get")]


def test_methods_of_a_class_that_answer_under_their_own_names() -> None:
    linked = project(
        """
        from pyramid.config import Configurator
        from pyramid_handlers import action

        class Base:
            def index(self): ...

        class Hello(Base):
            @action(renderer="view.mako")
            def view(self): ...
            def _own(self): ...

        def main():
            config = Configurator()
            config.add_handler("hello", "/hello", handler=Hello, action="index")
            config.add_handler("hello_one", "/hello/{id}", Hello, "view")
            config.add_handler("hello_action", "/say/{action}", handler=Hello)
        """
    )
    assert table(linked) == [
        ("", "/hello", "index"), ("", "/hello/{id}", "view"), ("", "/say/index", "index"), ("", "/say/view", "view")
    ]  # fmt: skip


def test_routers_of_modules_in_a_loop_and_objects_that_hold_their_router() -> None:
    linked = project(
        {
            "app/users.py": """
                from fastapi import APIRouter

                class Users:
                    def __init__(self):
                        self.router = APIRouter(prefix="/users")
                        self.router.add_api_route("/{key}", self.one, methods=["PUT"])

                    def one(self, key: int): ...

                router = Users().router
                """,
            "app/items.py": """
                from fastapi import APIRouter

                router = APIRouter()

                @router.get("/items")
                def items(): ...
                """,
            "app/main.py": """
                from fastapi import FastAPI
                from app import items, users

                app = FastAPI()
                for module in (items, users):
                    app.include_router(module.router, prefix="/api")
                """,
        }
    )
    assert table(linked) == [("GET", "/api/items", "items"), ("PUT", "/api/users/{key}", "one")]


def test_a_list_that_no_application_is_given_registers_nothing() -> None:
    linked = project(
        """
        import tornado.web

        KEPT = []
        ROWS = []

        def route(path):
            def register(handler):
                KEPT.append((path, handler))
                return handler
            return register

        @route("/kept")
        class Kept(tornado.web.RequestHandler):
            def get(self): ...

        app = tornado.web.Application(ROWS)
        """
    )
    assert table(linked) == []
