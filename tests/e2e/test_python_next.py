"""Python 3.14, where no interpreter of it can be installed: every module is imported under Pyodide, which carries one.

The packages' own Python runs there; libcst's parser, which is native code, is a stand-in that only has its names.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.environments import ROOT
from tests.e2e.npm import TOOLS, absent, installed

pytestmark = pytest.mark.e2e

PLATFORM = "pyemscripten_2026_0_wasm32"
LIBRARIES = ("click", "tomli", "pathspec", "ruamel", "sqlglot", "jinja2", "bandit", "detect_secrets", "libcst")

NODE = """
const { loadPyodide } = await import(process.argv[2] + "/pyodide/pyodide.mjs");
const mounts = JSON.parse(process.argv[3]);
const pyodide = await loadPyodide({ stdout: console.log, stderr: console.error });
const paths = [];
for (const [number, folder] of mounts.entries()) {
  pyodide.FS.mkdirTree("/mnt/" + number);
  pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: folder }, "/mnt/" + number);
  paths.push("/mnt/" + number);
}
pyodide.globals.set("paths", pyodide.toPy(paths));
pyodide.runPython(process.argv[4]);
"""

PYTHON = """
import sys, types, importlib, pkgutil, warnings
sys.path[:0] = paths
native = types.ModuleType("libcst.native")
native.parse_module = native.parse_expression = native.parse_statement = native.tokenize = None
sys.modules["libcst.native"] = native
class Absent(types.ModuleType):
    # What a fleet is built on, which is not made for this platform.
    __path__ = []
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})

class Absents:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("dask", "distributed", "psutil", "pyarrow", "resource"):
            return importlib.util.spec_from_loader(name, self, is_package=True)
    def create_module(self, spec):
        return Absent(spec.name)
    def exec_module(self, module):
        pass

sys.meta_path.insert(0, Absents())
home = paths[0]
rules = importlib.util.spec_from_file_location(
    "backaudit_rules", home + "/rules/__init__.py", submodule_search_locations=[home + "/rules"])
sys.modules["backaudit_rules"] = module = importlib.util.module_from_spec(rules)
rules.loader.exec_module(module)
warnings.filterwarnings("error", category=DeprecationWarning, module="backaudit")
warnings.filterwarnings("error", category=SyntaxWarning)
import backaudit
count = 0
for package in (backaudit, module):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if found.name != "backaudit.__main__":
            importlib.import_module(found.name)
            count += 1
from importlib.metadata import EntryPoint
from backaudit import models, plugins, ruledoc
loaded = plugins.load_from([EntryPoint("backaudit", "backaudit_rules", plugins.GROUP)], reraise=True)
models.load([])
assert all(ruledoc.read(rule.doc).title for rule in loaded.rules)
print("python", sys.version_info[:2], "modules", count, "rules", len(loaded.rules))
"""


def msgspec() -> Path:
    """The one library of native code that is published for Pyodide, unpacked once."""
    home = TOOLS / "pyodide-wheels"
    if not (home / "msgspec").is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--python-version=3.14", f"--platform={PLATFORM}", f"--target={home}"]
        done = subprocess.run([*command, "msgspec"], capture_output=True, text=True, check=False)
        if done.returncode:
            absent(f"pip could not fetch msgspec for Pyodide: {done.stderr.strip()[-300:]}")
    return home


def test_every_module_is_imported_under_python_3_14() -> None:
    node = shutil.which("node")
    if node is None:
        absent("node is not installed")
        return
    modules = installed("pyodide", "pyodide@314.0.7")
    specs = [importlib.util.find_spec(name) for name in LIBRARIES]
    sites = {str(Path(next(iter(spec.submodule_search_locations or ()))).parent) for spec in specs if spec is not None}
    mounts = [str(ROOT), str(msgspec()), *sorted(sites)]
    command = [node, "--input-type=module", "--eval", NODE, "x", str(modules), json.dumps(mounts), PYTHON]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "python (3, 14) modules" in done.stdout
