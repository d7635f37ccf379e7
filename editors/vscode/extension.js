// Starts `backaudit lsp`, and leaves the rest to it.
"use strict";

const { commands, window, workspace } = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

const LANGUAGES = ["python", "dockerfile", "dotenv", "yaml", "toml", "sql", "html", "properties"];

let client;

function made() {
  const settings = workspace.getConfiguration("backaudit");
  const server = {
    command: settings.get("path", "backaudit"),
    args: ["lsp", ...settings.get("arguments", [])],
    transport: TransportKind.stdio,
  };
  return new LanguageClient("backaudit", "backaudit", server, {
    documentSelector: LANGUAGES.map((language) => ({ scheme: "file", language })),
    synchronize: { fileEvents: workspace.createFileSystemWatcher("**/{backaudit.toml,pyproject.toml,.gitignore}") },
  });
}

async function start() {
  client = made();
  try {
    await client.start();
  } catch (error) {
    window.showErrorMessage(`backaudit could not be started: ${error.message}. pip install 'backaudit[lsp]'`);
  }
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.dispose();
}

async function restart() {
  await stop();
  await start();
}

async function activate(context) {
  context.subscriptions.push(
    commands.registerCommand("backaudit.restart", restart),
    workspace.onDidChangeConfiguration((event) => event.affectsConfiguration("backaudit") && restart()),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
