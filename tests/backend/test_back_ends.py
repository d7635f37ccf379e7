"""Several back ends in one repository: what is found is what a scan of each by itself finds (all: ``make soak``)."""

from __future__ import annotations

import pytest

from backaudit import plugins
from backaudit.project.parts import parts
from tests.bench.neighbours import BESIDE, differences
from tests.projects import project

LOADED = plugins.load(reraise=True)
STARTS = frozenset({"flask.Flask", "fastapi.FastAPI", "django.core.management.execute_from_command_line"})


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("fastapi", "flask"),
        ("flask", "django"),
        ("fastapi", "fastapi"),
        ("flask", "flask-careful"),
        ("django", "django-careful"),
    ],
)
def test_two_in_one_repository_are_judged_as_each_is_alone(one: str, two: str) -> None:
    assert differences(one, two, BESIDE, LOADED) == set()


@pytest.mark.parametrize(
    ("one", "two", "outer"),
    [
        ("django", "flask", ""),
        ("flask", "django", ""),
        ("django", "fastapi", "one/"),
        ("fastapi-careful", "flask", ""),
        ("flask-careful", "fastapi", ""),
    ],
)
def test_one_in_a_folder_of_another_is_judged_as_each_is_alone(one: str, two: str, outer: str) -> None:
    assert differences(one, two, (outer, f"{outer}services/two/"), LOADED) == set()


def path_of(name: str) -> str:
    return name.replace("____init__", "/<init>").replace("__", "/").replace("<init>", "__init__") + ".py"


def parts_of(**programs: str) -> list[list[str]]:
    linked = project({path_of(name): text for name, text in programs.items()})
    files = list(linked.facts.values())
    return [[file.path for file in files if part.has(file.path)] for part in parts(files, STARTS)]


FLASK = "from flask import Flask\napp = Flask(__name__)\n"


def test_a_library_belongs_to_whom_it_serves() -> None:
    found = parts_of(
        shop__app="from common.db import session\n" + FLASK,
        stock__app="import fastapi\nfrom stock.own import x\napp = fastapi.FastAPI()\n",
        stock__own="x = 1\n",
        common__db="session = 1\n",
        tasks__nightly="print(1)\n",
    )
    assert found == [
        ["common/db.py", "shop/app.py", "tasks/nightly.py"],
        ["stock/app.py", "stock/own.py", "tasks/nightly.py"],
    ]


def test_a_program_in_the_folder_of_another_that_nothing_ties_to_it_is_one_of_its_own() -> None:
    found = parts_of(
        manage="from django.core.management import execute_from_command_line\nexecute_from_command_line([])\n",
        shop__models="x = 1\n",
        extras__bot__main="from extras.bot.own import x\n" + FLASK,
        extras__bot__own="x = 1\n",
        shop__export="x = 1\n",
    )
    assert found == [["manage.py", "shop/export.py", "shop/models.py"], ["extras/bot/main.py", "extras/bot/own.py"]]


def test_what_nothing_ties_to_a_program_belongs_to_the_one_that_is_started_beside_it() -> None:
    found = parts_of(
        wsgi="from shop import app\n",
        shop____init__=FLASK,
        migrations__env="from flask import current_app\n",
        services__stock__app="import fastapi\napp = fastapi.FastAPI()\n",
    )
    assert sorted(found) == [["migrations/env.py", "shop/__init__.py", "wsgi.py"], ["services/stock/app.py", "wsgi.py"]]


def test_what_nothing_ties_belongs_to_all_that_are_started_beside_it() -> None:
    found = parts_of(
        run_shop="from shop import app\n",
        shop____init__=FLASK,
        run_stock="from stock import app\n",
        stock____init__="import fastapi\napp = fastapi.FastAPI()\n",
        migrations__env="from flask import current_app\n",
    )
    assert [path for part in found for path in part if path.startswith("migrations")] == ["migrations/env.py"] * 2


def test_migrations_belong_to_the_program_whose_models_they_import() -> None:
    found = parts_of(
        shop__app=FLASK,
        shop__models="x = 1\n",
        migrations__env="from shop.models import x\n",
        migrations__versions__first="x = 1\n",
        services__stock__app=FLASK,
    )
    own = ["migrations/env.py", "migrations/versions/first.py", "shop/app.py", "shop/models.py"]
    assert sorted(found) == [own, ["services/stock/app.py"]]


@pytest.mark.parametrize(
    "programs",
    [
        {"shop__app": FLASK, "admin__app": "from shop.app import app\n" + FLASK},
        {"shop__app": FLASK, "admin__app": FLASK, "main": "from shop.app import app\nimport admin.app\n" + FLASK},
        {
            "shop__gate": "from shop.apps.one import app\nfrom shop.apps.two import app as b\n",
            "shop__apps__one__main": FLASK,
            "shop__apps__two__main": FLASK,
            "shop__apps__one____init__": "from shop.apps.one.main import app\n",
            "shop__apps__two____init__": "from shop.apps.two.main import app\n",
        },
        {
            "manage": "from django.core.management import execute_from_command_line as run\n"
            "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'site.settings'\nrun([])\n",
            "site____init__": "",
            "site__settings": "INSTALLED_APPS = ['chat']\n",
            "site__wsgi": "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n",
            "chat____init__": "",
            "chat__socket": FLASK,
        },
        {"main": "import api.models\n" + FLASK, "api__models": "x = 1\n", "api__app": FLASK},
        {"app__main": FLASK, "tests__conftest": FLASK, "scripts__try": FLASK},
        {"app__main": "import app.sub.main\n", "app__one__main": FLASK, "app__core": "x = 1\n"},
    ],
)
def test_what_belongs_together_stays_together(programs: dict[str, str]) -> None:
    assert parts_of(**programs) == [sorted(path_of(name) for name in programs)]
