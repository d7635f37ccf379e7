"""How a credential is taken out of where it stands: each kind of file has a way of its own to be given one."""

from __future__ import annotations

import re

from backaudit.analyses.secrets.settings_style import reading
from backaudit.backend.deployment.deployables import Platform, platform_of
from backaudit.facts.files import FileFacts
from backaudit.facts.secrets import SecretHit, SecretKind
from backaudit.project import Project
from backaudit.vocabulary.meaning import meaning

_SECRET = meaning("tokens", "secret-value")
_ROTATE = "Rotate it first: the history keeps it."
_DEFAULT_NAMES: dict[SecretKind, str] = {
    "url": "DATABASE_URL",
    "signing-key": "SECRET_KEY",
    "password": "PASSWORD",
    "token": "API_KEY",
}
# Of each platform, where the value belongs; ``{name}`` is the variable's, ``{key}`` the same in lower case.
_GIVEN: dict[Platform, str] = {
    "compose": (
        "Then write `${{{name}:?}}` instead, with the value in an untracked `.env` beside the file, or "
        "give it as a file under `secrets:`."
    ),
    "dockerfile": (
        "Then take it out of the image: hand `{name}` over at the start (`docker run --env-file`, "
        "`environment:` of compose); what a build step alone needs comes by `RUN "
        "--mount=type=secret,id={key}`."
    ),
    "github": ("Then store it in the repository's settings and write `${{{{ secrets.{name} }}}}`."),
    "gitlab": ("Then store it as a masked CI/CD variable and write `${name}`."),
    "pipeline": ("Then store it as a secret variable of the pipeline and refer to it as `${name}`."),
    "helm": (
        "Then leave the value empty here, and let the chart read it from a Secret that exists in the "
        "cluster (`existingSecret`), made apart from the chart or by an encrypted values file (sops)."
    ),
    "kubernetes": (
        "Then refer to a Secret, `valueFrom: {{secretKeyRef: {{name: app, key: {key}}}}}`, which is made "
        "apart (`kubectl create secret generic`) or is encrypted in the repository (Sealed Secrets, "
        "sops)."
    ),
    "kubernetes-secret": (
        "Base64 hides nothing: take the Secret out of the repository and make it with `kubectl create "
        "secret generic`, or encrypt it (Sealed Secrets, sops, External Secrets)."
    ),
    "terraform": (
        "Then declare a variable `{key}` with `sensitive = true` and no default, and give it as "
        "`TF_VAR_{key}` or from a secret store; keep the state encrypted, which has it too."
    ),
    "supervisor": ("Then write `%(ENV_{name})s`, and give supervisord the variable from outside."),
    "systemd": (
        "Then write `EnvironmentFile=/etc/app.env`, a file that is not in the repository and that root alone reads."
    ),
    "nginx": ("Then `include` a file that is not in the repository, and put the line there."),
    "render": ("Then write `sync: false` (or `generateValue: true`) for `{name}`, and set it in the dashboard."),
    "other": (
        "Then refer to a variable `{name}` that the platform keeps (`heroku config:set`, `fly secrets "
        "set`, `vercel env add`), and name it alone here."
    ),
}


def variable(hit: SecretHit) -> str:
    """What the environment variable is called that takes a credential's place."""
    # An argument without a keyword is often known by no more than what is called with it.
    is_named = bool(hit.name) and (hit.position != "argument" or _SECRET.holds(hit.name.lower()))
    return hit.env or (re.sub(r"\W", "_", hit.name).upper() if is_named else _DEFAULT_NAMES.get(hit.kind, "SECRET"))


def remedy(project: Project, path: str, hit: SecretHit, rule: str) -> str:
    """What to do about a credential at its place."""
    name = variable(hit)
    file = project.facts[path]
    if hit.position == "seed":
        return "Change the account's password now, and read the first one from the environment or make it at random."
    if hit.kind == "private-key" and hit.position == "text":
        return (
            "Make a new key and revoke this one, take the file out of the repository and mount it where it is needed."
        )
    if rule == "secret-in-deploy-file" and hit.position == "env-default":
        return (
            f"Leave the default out, `${{{name}:?}}`: a missing value has to stop the start. The real one stands in an "
            "untracked `.env` or the platform's secret store."
        )
    if rule == "secret-in-deploy-file":
        return f"{_ROTATE} {_GIVEN[platform_of(file)].format(name=name, key=name.lower())}"
    first = _ROTATE if hit.strength == "strong" else "Choose a new, random value."
    if file.kind not in ("python", "notebook"):
        return f"{first} {_outside(file, name)}"
    if rule == "insecure-env-default":
        first = "Leave the default out, so that a missing value stops the start instead of opening the door."
    return (
        f"{first} Then read it from the environment: {reading(project, name)}; write `{name}=` to `.env.example`, and "
        "`.env` to `.gitignore`."
    )


def _outside(file: FileFacts, name: str) -> str:
    """Configuration that cannot ask the environment itself."""
    if file.kind == "env":
        return f"Then `git rm --cached {file.path}`, list it in `.gitignore`, and commit names alone (`{name}=`)."
    if file.kind in ("ini", "properties") and platform_of(file) in ("supervisor", "systemd", "nginx"):
        return _GIVEN[platform_of(file)].format(name=name, key=name.lower())
    if file.kind == "shell":
        return f'Then let whoever runs the script set `{name}`, and refuse to run without it: `: "${{{name}:?}}"`.'
    if file.kind == "template":
        return "What a page holds every visitor reads: let the server make the call that needs it."
    base = file.path.rpartition("/")[2]
    return (
        f"Then leave it empty in `{base}`: let the code take `{name}` from the environment, or commit a sample of the "
        "file and keep the real one untracked."
    )
