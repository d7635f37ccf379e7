"""Guards of routes, settings, and whose row a query asks for."""

from __future__ import annotations

from pathlib import Path

from backaudit import plugins
from backaudit.analyses.auth.tokens import signings
from backaudit.backend.access.denial import denials
from backaudit.backend.access.guards import guarded
from backaudit.backend.deployment.django_settings import django_setting
from backaudit.backend.deployment.settings import env_lookups, literal, settings_named
from backaudit.project import Project
from tests.projects import code, project


def guards(linked: Project) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for route in linked.once(guarded):
        kinds = found.setdefault(f"{','.join(route.methods)} {route.path}", set())
        kinds |= {guard.kind for guard in route.guards}
    return found


def test_fastapi_dependencies_of_route_router_and_parameter() -> None:
    linked = project(
        """
        from typing import Annotated
        from fastapi import APIRouter, Depends, FastAPI, HTTPException

        def who(token: str = ""):
            if not token:
                raise HTTPException(status_code=401)

        def admin(user=Depends(who)):
            if not user.is_admin:
                raise HTTPException(403)

        def get_db(): ...

        User = Annotated[str, Depends(who)]
        app = FastAPI()
        inside = APIRouter(prefix="/in", dependencies=[Depends(who)])

        @app.get("/open")
        def open_(db=Depends(get_db)): ...

        @app.get("/alias")
        def alias(user: User): ...

        @app.get("/admin", dependencies=[Depends(admin)])
        def admin_(): ...

        @inside.get("/a")
        def a(): ...

        app.include_router(inside)
        """
    )
    assert guards(linked) == {
        "GET /open": set(), "GET /alias": {"authenticates"}, "GET /admin": {"role"}, "GET /in/a": {"authenticates"},
    }  # fmt: skip


def test_home_made_decorators_are_known_by_what_they_do() -> None:
    linked = project(
        """
        from flask import Flask, redirect, session

        app = Flask(__name__)

        def zeta(view):
            def inner(*args):
                if "user" not in session:
                    return redirect("/in")
                return view(*args)
            return inner

        def timed(view):
            def inner(*args):
                return view(*args)
            return inner

        @app.get("/a")
        @zeta
        def a(): ...

        @app.get("/b")
        @timed
        def b(): ...

        @app.get("/c")
        def c():
            if not session.get("user"):
                return redirect("/in")
            return {}

        @app.post("/in")
        def in_():
            if session.get("user"):
                return redirect("/")
            return {}
        """
    )
    assert guards(linked) == {
        "GET /a": {"authenticates"}, "GET /b": set(), "GET /c": {"authenticates"}, "POST /in": set(),
    }  # fmt: skip


def test_a_hook_guards_the_blueprint_that_has_it() -> None:
    linked = project(
        """
        from flask import Blueprint, Flask, abort
        from flask_login import current_user

        app = Flask(__name__)
        one, two = Blueprint("one", __name__), Blueprint("two", __name__)

        @one.before_request
        def check():
            if not current_user.is_authenticated:
                abort(401)

        @one.get("/one")
        def a(): ...

        @two.get("/two")
        def b(): ...

        app.register_blueprint(one)
        app.register_blueprint(two)
        """
    )
    assert guards(linked) == {"GET /one": {"authenticates"}, "GET /two": set()}


def test_rest_framework_permissions_defaults_and_objects() -> None:
    views = """
        from rest_framework import generics, permissions
        from rest_framework.views import APIView

        class Owner(permissions.BasePermission):
            def has_object_permission(self, request, view, obj):
                return obj.owner == request.user

        class Open(APIView):
            permission_classes = [permissions.AllowAny]
            def get(self, request): ...

        class Default(APIView):
            def get(self, request): ...

        class Reading(APIView):
            permission_classes = [permissions.IsAuthenticatedOrReadOnly]
            def get(self, request): ...
            def post(self, request): ...

        class Plain(APIView):
            permission_classes = [Owner]
            def get(self, request): ...

        class Generic(generics.RetrieveAPIView):
            permission_classes = [Owner]
        """
    names = ("open", "default", "reading", "plain", "generic")
    paths = ", ".join(f"path('{name}/', views.{name.title()}.as_view())" for name in names)
    linked = project(
        {
            "settings.py": "ROOT_URLCONF = 'urls'\nREST_FRAMEWORK = {'DEFAULT_PERMISSION_CLASSES': "
            "('rest_framework.permissions.IsAuthenticated',)}\n",
            "urls.py": f"from django.urls import path\nimport views\nurlpatterns = [{paths}]\n",
            "views.py": views,
        }
    )
    assert guards(linked) == {
        "GET /open/": set(), "GET /default/": {"authenticates"}, "GET /reading/": set(),
        "POST /reading/": {"authenticates"}, "GET /plain/": set(), "GET /generic/": {"ownership"},
    }  # fmt: skip


def test_the_ground_of_a_denial() -> None:
    linked = project(
        """
        from flask import abort
        from flask_login import current_user

        def owner(note):
            if note.owner_id != current_user.id:
                abort(403)

        def forged(form, session):
            if form.csrf != session:
                abort(403)

        def missing(note):
            if note is None:
                abort(404)
        """
    )
    assert denials(linked, code(linked, "app.owner")) == {"ownership"}
    assert denials(linked, code(linked, "app.forged")) == set()
    assert denials(linked, code(linked, "app.missing")) == set()


def test_the_production_settings_are_those_that_wsgi_names() -> None:
    linked = project(
        {
            "conf/base.py": "INSTALLED_APPS = []\nDEBUG = True\nNAME = 'base'\n",
            "conf/dev.py": "from conf.base import *\nDEBUG = True\n",
            "conf/live.py": "from conf.base import *\nDEBUG = False\n",
            "wsgi.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'conf.live')\n",
        }
    )
    debug, name = django_setting(linked, "DEBUG"), django_setting(linked, "NAME")
    assert debug is not None
    assert literal(linked, debug.value) is False
    assert name is not None
    assert literal(linked, name.value) == "base"


def test_flask_configuration_and_the_environment() -> None:
    linked = project(
        """
        import os
        from flask import Flask

        class Config:
            SESSION_COOKIE_SECURE = True

        class DevConfig(Config):
            SESSION_COOKIE_SECURE = False

        app = Flask(__name__)
        app.config.from_object(Config)
        app.config["SECRET_KEY"] = os.environ.get("KEY") or "dev"
        """
    )
    secure = settings_named(linked, "SESSION_COOKIE_SECURE")
    assert [literal(linked, setting.value) for setting in secure] == [True]
    (lookup,) = linked.once(env_lookups)
    assert lookup.name == "KEY"
    assert lookup.default is not None
    assert lookup.default.text == "dev"


def test_claims_are_followed_through_copies_updates_and_callers() -> None:
    linked = project(
        """
        import jwt

        def sign(data, extra):
            claims = data.copy()
            claims.update(exp=1)
            claims["iss"] = "me"
            return jwt.encode(claims, extra)

        def use():
            return sign({"sub": 1}, "k")
        """
    )
    (signing,) = linked.once(signings)
    assert signing.claims.names == {"sub", "exp", "iss"}
    assert signing.claims.whole


def test_a_token_that_a_provider_answered_is_worth_a_look_and_one_that_a_client_sent_a_forgery() -> None:
    fixture = Path(__file__).resolve().parents[2] / "fixtures" / "auth" / "jwt_not_verified" / "provider.py"
    (rule,) = (rule for rule in plugins.load(reraise=True).rules if rule.name == "jwt-not-verified")
    found = rule.check(project(fixture.read_text()))
    assert [finding.confidence for finding in sorted(found, key=lambda f: f.place)] == ["low", "high"]
