"""The extension for VS Code: its own tool packages it, and it starts the server that is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.e2e.npm import absent

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "editors" / "vscode"
# Enough of the editor to say what the extension asks of it.
HARNESS = """
const Module = require("node:module");
const asked = { commands: [], started: null, stopped: 0 };
const settings = { path: "/opt/backaudit", arguments: ["--strict"] };
let changed;
const vscode = {
  commands: { registerCommand: (name) => (asked.commands.push(name), {}) },
  window: { showErrorMessage: (text) => (asked.message = text) },
  workspace: {
    getConfiguration: () => ({ get: (name) => settings[name] }),
    createFileSystemWatcher: () => ({}),
    onDidChangeConfiguration: (listener) => ((changed = listener), {}),
  },
};
class LanguageClient {
  constructor(id, name, server, options) { asked.started = { ...server, languages: options.documentSelector.length }; }
  async start() {}
  async dispose() { asked.stopped += 1; }
}
const load = Module._load;
Module._load = (name, ...rest) =>
  name === "vscode" ? vscode :
  name === "vscode-languageclient/node" ? { LanguageClient, TransportKind: { stdio: 0 } } : load(name, ...rest);
const extension = require(process.argv[2]);
(async () => {
  await extension.activate({ subscriptions: [] });
  await changed({ affectsConfiguration: (name) => name === "backaudit" });
  await extension.deactivate();
  console.log(JSON.stringify(asked));
})();
"""


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_it_starts_the_server_and_stops_it(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    harness = tmp_path / "harness.js"
    harness.write_text(HARNESS, "utf-8")
    done = run(tmp_path, node, str(harness), str(SOURCE / "extension.js"))
    assert done.stderr == ""
    asked = json.loads(done.stdout)
    assert (asked["started"]["command"], asked["started"]["args"]) == ("/opt/backaudit", ["lsp", "--strict"])
    assert asked["commands"] == ["backaudit.restart"]
    assert asked["stopped"] == 2


def test_its_own_tool_packages_it(tmp_path: Path) -> None:
    npm, npx = shutil.which("npm"), shutil.which("npx")
    if npm is None or npx is None:
        absent("npm is not installed")
        return
    folder = tmp_path / "editors" / "vscode"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("node_modules"))
    shutil.copy(ROOT / "LICENSE", tmp_path / "LICENSE")
    installed = run(folder, npm, "install", "--no-audit", "--no-fund", "--ignore-scripts")
    if installed.returncode:
        absent(f"npm could not install what the extension needs: {installed.stderr.strip()[-300:]}")
    packaged = folder / "backaudit.vsix"
    done = run(folder, npx, "vsce", "package", "--out", str(packaged))
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(packaged) as archive:
        names = set(archive.namelist())
    needed = {"extension/extension.js", "extension/node_modules/vscode-languageclient/package.json"}
    assert names >= needed | {"extension/LICENSE.txt"}


def test_the_version_is_that_of_the_program() -> None:
    version = json.loads((SOURCE / "package.json").read_text("utf-8"))["version"]
    assert f'version = "{version}"' in (ROOT / "pyproject.toml").read_text("utf-8")
