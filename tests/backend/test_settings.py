"""Settings: what the model says that an application is configured with, against the frameworks' own word."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backaudit.backend.deployment.django_settings import settings_modules
from backaudit.backend.deployment.settings import env_lookups, literal, pydantic_settings, settings_named
from tests.projects import project

CONFIG = """
import os
class Base:
    SECRET_KEY = "k"
    DEBUG = True
    A = 1
    lower = "no setting"
class Development(Base):
    B = "dev"
class Testing(Base):
    TESTING = True
class Production(Base):
    DEBUG = False
    B = "prod"
by_name = {"development": Development, "testing": Testing, "production": Production, "default": Development}
"""
APP = """
import os
from flask import Flask
import config
from config import Production, by_name
app = Flask(__name__)
app.config.from_{}
"""
WAYS = {
    "class": "object(Production)",
    "object of it": "object(Production())",
    "its name": "object('config.Production')",
    "a default of the environment": "object(os.environ.get('APP_SETTINGS', 'config.Production'))",
    "what stands in": "object(os.getenv('APP_SETTINGS') or 'config.Production')",
    "one of a dictionary": "object(by_name[os.environ.get('STAGE', 'production')])",
    "one of a dictionary, safely": "object(by_name.get(os.environ.get('STAGE', 'production')))",
    "a module": "object('config_module')",
    "a file": "pyfile('config_module.py')",
    "a mapping": "mapping({'SECRET_KEY': 'k', 'DEBUG': False}, A=1, B='prod')",
}
MODULE = "from config_base import *\nDEBUG = False\nB = 'prod'\nlower = 1\n"


def written(folder: Path, files: dict[str, str]) -> dict[str, str]:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return files


def said(folder: Path, program: str) -> Any:
    """What a program prints as JSON that runs in a folder, without the settings of the machine."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True, env={"PATH": ""}
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("way", WAYS)
def test_flask_is_configured_as_flask_says(tmp_path: Path, way: str) -> None:
    files = written(
        tmp_path,
        {
            "config.py": CONFIG,
            "config_base.py": "SECRET_KEY = 'k'\nDEBUG = True\nA = 1\n",
            "config_module.py": MODULE,
            "app.py": APP.format(WAYS[way]),
        },
    )
    names = ("SECRET_KEY", "DEBUG", "A", "B")
    program = f"import json, app; print(json.dumps({{n: app.app.config.get(n) for n in {names}}}))"
    linked = project(files)
    ours = {name: [literal(linked, one.value) for one in settings_named(linked, name)] for name in names}
    assert ours == {name: [value] for name, value in said(tmp_path, program).items()}
    assert settings_named(linked, "LOWER") == ()
    assert settings_named(linked, "TESTING") == ()


def test_a_base_that_a_mapping_names_counts_itself() -> None:
    code = "class Config:\n    DEBUG = True\nclass TestConfig(Config):\n    TESTING = True\n"
    app = "from flask import Flask\nfrom config import *\napp = Flask(__name__)\napp.config.from_object({}[name])\n"
    linked = project({"config.py": code, "app.py": app.format("{'default': Config, 'test': TestConfig}")})
    assert [literal(linked, one.value) for one in settings_named(linked, "DEBUG")] == [True]
    assert settings_named(linked, "TESTING") == ()


PYDANTIC = """
from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
class Base(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="APP_", env_nested_delimiter="__")
    name: str = "shop"
class Settings(Base):
    secret_key: str = Field("changeme", min_length=3)
    other: str = Field(default="o", validation_alias="OTHER_NAME")
    token: SecretStr = SecretStr("t")
    debug: bool = True
"""


def test_defaults_of_pydantic_are_those_of_its_objects(tmp_path: Path) -> None:
    files = written(tmp_path, {"config.py": PYDANTIC})
    program = (
        "import json, config; s = config.Settings().model_dump(); "
        "print(json.dumps({k: v.get_secret_value() if k == 'token' else v for k, v in s.items()}))"
    )
    linked = project(files)
    assert {one.name: literal(linked, one.value) for one in pydantic_settings(linked)} == said(tmp_path, program)


DJANGO = {
    "proj/__init__.py": "",
    "proj/settings/__init__.py": "",
    "proj/settings/base.py": "INSTALLED_APPS = []\nDEBUG = True\nSECRET_KEY = 'k'\nLANGUAGE_CODE = 'de'\n",
    "proj/settings/dev.py": "from .base import *\nLANGUAGE_CODE = 'fr'\n",
    "proj/settings/live.py": "from .base import *\nDEBUG = False\n",
    "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'proj.settings.dev')\n",
    "proj/wsgi.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'proj.settings.live')\n",
}


def test_of_djangos_settings_those_that_the_server_takes_count(tmp_path: Path) -> None:
    files = written(tmp_path, DJANGO)
    names = ("DEBUG", "SECRET_KEY", "LANGUAGE_CODE")
    program = (
        "import json, proj.wsgi; from django.conf import settings; "
        f"print(json.dumps({{n: getattr(settings, n) for n in {names}}}))"
    )
    linked = project(files)
    ours = {name: literal(linked, settings_named(linked, name)[0].value) for name in names}
    assert ours == said(tmp_path, program)
    assert [one.file.path for one in settings_modules(linked) if one.production] == ["proj/settings/live.py"]


def test_readers_of_the_environment_give_their_defaults() -> None:
    code = """
        import os, environ
        from decouple import config
        from starlette.config import Config
        env = environ.Env(DEBUG=(bool, False))
        read = Config(".env")
        A = config("A", default="a")
        B = env("B", default="b")
        C = env.bool("C", default=True)
        D = os.environ.get("D", "d")
        F = os.getenv("F") or "f"
        G = env("DEBUG")
        H = read("H", cast=bool, default=True)
        I = os.getenv("I")
    """
    linked = project({"settings.py": code})
    found = {one.name: one.default and literal(linked, one.default) for one in env_lookups(linked)}
    assert found == {"A": "a", "B": "b", "C": True, "D": "d", "F": "f", "DEBUG": False, "H": True, "I": None}


def test_a_reader_that_another_module_made() -> None:
    linked = project(
        {
            "reader.py": "import environ\nenv = environ.Env(TOKEN=(str, 't'))\n",
            "settings.py": "from reader import env\nTOKEN = env('TOKEN')\n",
        }
    )
    assert [one.default and literal(linked, one.default) for one in env_lookups(linked)] == ["t"]
