"""Git over a network: what a repository elsewhere holds, fetched with the user's own credentials into a folder of ours.

The user's configuration is read here (credential helpers, proxies, keys): it says how to reach the other side. What the
other side sends is objects alone: no hook, submodule, transport helper or program that it may name is followed. A name
and a password in a URL reach git by its environment, so that no list of processes and no file of ours shows them.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from backaudit.git import program
from backaudit.gitindex import Repository
from backaudit.usage import UsageError

PROTOCOLS = ("https", "http", "ssh", "git", "file")
MASK = "***"
HEAD = "HEAD"
# Where what was fetched is kept: the reference of the folder of ours.
FETCHED = "refs/backaudit/fetched"
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_USER = re.compile(r"(?<=://)[^/@\s'\"]*@")
_QUERY = re.compile(r"(://[^\s'\"?]*)\?[^\s'\"]*")
_CAUSE = re.compile(r"^((fatal|error|remote): )+")
# What says where a repository is, and is not the user's word on how to reach another.
_PLACES = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
    *("GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_EXTERNAL_DIFF", "GIT_TRACE", "GIT_CURL_VERBOSE"),
)
_OWN_CONFIGURATION = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("init.templateDir", ""),
)


class Unreachable(UsageError):
    """The other side could not be asked; it may be later."""


class Remote:
    """A repository elsewhere, by its URL or its path."""

    def __init__(self, url: str) -> None:
        self.shown, self._secret = without_credentials(url)
        if self.shown.startswith("-") or not _is_allowed(self.shown):
            raise UsageError(f"{self.shown} is no URL that is fetched from: {', '.join(PROTOCOLS)} are.")

    def resolved(self, reference: str) -> tuple[str, str] | None:
        """The commit that a branch, a tag or an id names now, and its full name; None in an empty repository."""
        if _COMMIT.fullmatch(reference):
            return reference, reference
        wanted = _names(reference)
        lines = self._run(None, ["ls-remote", "--", self.shown, *wanted]).decode("utf-8", "replace").splitlines()
        known = {name: id for id, _, name in (line.partition("\t") for line in lines)}
        for name in wanted:
            if name in known:
                return known[name], name.removesuffix("^{}")
        if reference in ("", HEAD):
            return None
        raise UsageError(f"{self.shown} has no branch or tag {reference}.")

    def fetch(self, name: str, folder: Path) -> str:
        """Fetch what a full name stands for, without its history, into the bare repository; the commit is returned."""
        for left in (folder / "objects" / "pack").glob("tmp_*"):
            with suppress(OSError):
                left.unlink()
        options = ["--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--force"]
        self._run(folder, ["fetch", *options, "--", self.shown, f"{name}:{FETCHED}"])
        return self._run(folder, ["rev-parse", "--verify", f"{FETCHED}^{{commit}}"]).decode().strip()

    def begin(self, folder: Path) -> None:
        """Make the bare repository that is fetched into."""
        self._run(None, ["init", "--quiet", "--bare", "--", str(folder)])

    def _run(self, folder: Path | None, arguments: Sequence[str]) -> bytes:
        done = subprocess.run(
            [program(Path(os.devnull)), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=folder or os.path.abspath(os.sep),
            env=self._environment(folder),
            check=False,
        )
        if done.returncode:
            said = masked(done.stderr.decode("utf-8", "replace")).strip().splitlines()
            raise Unreachable(f"git {arguments[0]} failed: {_reason(said)}")
        return done.stdout

    def _environment(self, folder: Path | None) -> Mapping[str, str]:
        found = {name: value for name, value in os.environ.items() if name not in _PLACES}
        given = int(found.get("GIT_CONFIG_COUNT", "0") or 0)
        settings = [*_OWN_CONFIGURATION, *([self._secret] if self._secret else [])]
        for number, (key, value) in enumerate(settings, given):
            found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        found |= {
            "GIT_CONFIG_COUNT": str(given + len(settings)),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS),
            "LC_ALL": "C",
        }
        found.setdefault("GIT_SSH_COMMAND", "ssh -oBatchMode=yes")
        return found if folder is None else {**found, "GIT_DIR": str(folder)}


def bare(folder: Path) -> Repository:
    """A bare repository, for :class:`backaudit.git.Git`."""
    return Repository(folder, folder, folder)


def masked(text: str) -> str:
    """A text without the names, passwords and tokens that stand in its URLs."""
    return _QUERY.sub(rf"\1?{MASK}", _USER.sub(_user, text))


def without_credentials(url: str) -> tuple[str, tuple[str, str] | None]:
    """A URL as it may be shown, and the setting by which git puts the rest back in; None where there is none."""
    if not re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", url):
        return url, None
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    is_name_alone = parts.scheme not in ("http", "https") and ":" not in user
    if (not at or is_name_alone) and not parts.query:
        return url, None
    shown = parts._replace(netloc=parts.netloc if is_name_alone else host, query="", fragment="")
    return urlunsplit(shown), (f"url.{url}.insteadOf", urlunsplit(shown))


def _user(found: re.Match[str]) -> str:
    """A user's name stays where it is nothing but the account that is logged in to (``ssh://git@…``)."""
    return found[0] if found[0] == "git@" else f"{MASK}@"


def _is_allowed(url: str) -> bool:
    if "://" in url:
        return url.partition("://")[0].lower() in PROTOCOLS
    is_helper = re.match(r"[\w+.-]+::", url) is not None
    return not is_helper and (os.path.isabs(url) or re.match(r"[\w.@-]+:[^:]", url) is not None)


def _names(reference: str) -> list[str]:
    """The full names that a short one may stand for, in git's order of a clone: branches, then tags."""
    if reference in ("", HEAD):
        return [HEAD]
    if reference.startswith("refs/"):
        return [f"{reference}^{{}}", reference]
    return [f"refs/heads/{reference}", f"refs/tags/{reference}^{{}}", f"refs/tags/{reference}"]


def _reason(said: Sequence[str]) -> str:
    """What git gives as the reason, of all that it says; the other side's git speaks through ours."""
    causes = [cause for line in said if (cause := _CAUSE.sub("", line)) != line]
    text = " ".join((causes or list(said) or ["it says nothing"])[0].split())
    return text.rstrip(". ") + "."
