"""Credentials that their own form gives away, in any kind of text: providers' tokens, keys, URLs with passwords.

The patterns of detect-secrets' detectors are used one by one, without its driver and its checks over the network. A
detector is imported only when a text holds one of the substrings without which its pattern cannot match.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module

import msgspec

from backaudit.extract.secrets.values import Verdict, judge
from backaudit.facts.secrets import SecretKind, Strength
from backaudit.vocabulary.guessing import surprise, word_set


class Match(msgspec.Struct, frozen=True):
    """A stretch of the text, in offsets; ``local``: see :class:`backaudit.facts.secrets.SecretHit`."""

    start: int
    end: int
    kind: SecretKind
    detector: str
    strength: Strength
    local: bool = False


# Needles without which nothing matches, then the module and class in detect_secrets.plugins and what we call it.
_THEIRS: tuple[tuple[tuple[str, ...], str, str, str], ...] = (
    (("AKIA", "ASIA", "ABIA", "ACCA", "A3T"), "aws", "AWSKeyDetector", "AWS access key"),
    (("AccountKey=",), "azure_storage_key", "AzureStorageKeyDetector", "Azure storage key"),
    (("cloudant",), "cloudant", "CloudantDetector", "Cloudant credential"),
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), "github_token", "GitHubTokenDetector", "GitHub token"),
    (("-us1", "-us2", "-us3", "-us4", "-us5", "-us6", "-us7", "-us8", "-us9"),
     "mailchimp", "MailchimpDetector", "Mailchimp key"),
    ((":_authToken",), "npm", "NpmDetector", "npm token"),
    (("pypi-AgE",), "pypi_token", "PypiTokenDetector", "PyPI token"),
    (("SG.",), "sendgrid", "SendGridDetector", "SendGrid key"),
    (("xoxa-", "xoxb-", "xoxp-", "xoxo-", "xoxs-", "xoxr-", "hooks.slack.com"),
     "slack", "SlackDetector", "Slack token"),
    (("softlayer",), "softlayer", "SoftlayerDetector", "SoftLayer credential"),
    (("sq0csp-",), "square_oauth", "SquareOAuthDetector", "Square OAuth secret"),
    (("k_live_",), "stripe", "StripeDetector", "Stripe live key"),
)  # fmt: skip

# Forms that detect-secrets does not know, from the providers' own documentation.
_OURS: tuple[tuple[str, str, str], ...] = (
    ("eyJ", r"\beyJ[\w=-]{8,}\.[\w=-]{8,}\.[\w=+/-]{20,}", "JSON Web Token"),
    ("github_pat_", r"github_pat_\w{40,}", "GitHub token"),
    ("glpat-", r"\bglpat-[\w-]{20,}(?:\.[\w-]{2,}){0,3}", "GitLab token"),
    ("gl", r"\bgl(?:agent|cbt|dt|ffct|ft|imt|oas|ptt|rt|rtr|soat|wt)-[\w-]{20,}(?:\.[\w-]{2,}){0,3}", "GitLab token"),
    ("GR1348941", r"\bGR1348941[\w-]{20,}", "GitLab token"),
    # Of each run of letters one beginning is tried: what comes before the mark in the middle may be of any length.
    ("T3BlbkFJ", r"(?<![\w-])sk-(?=[\w-]*?[A-Za-z\d_-]{16}T3BlbkFJ[A-Za-z\d_-]{16})[\w-]+", "OpenAI key"),
    ("sk-proj-", r"(?<![\w-])sk-proj-[\w-]{40,}", "OpenAI key"),
    ("sk-ant-", r"sk-ant-[\w-]{40,}", "Anthropic key"),
    ("hf_", r"\bhf_[A-Za-z\d]{34,}", "Hugging Face token"),
    ("npm_", r"\bnpm_[A-Za-z\d]{36,}", "npm token"),
    ("AIza", r"\bAIza[\w-]{35}(?![\w-])", "Google API key"),
    ("GOCSPX-", r"\bGOCSPX-[\w-]{28,}", "Google OAuth secret"),
    ("ya29.", r"\bya29\.[\w-]{50,}", "Google access token"),
    ("_v1_", r"\bdo[opr]_v1_[a-f\d]{64}", "DigitalOcean token"),
    ("shpat_", r"\bshp(?:at|ca|pa|ss)_[a-fA-F\d]{32,}", "Shopify token"),
    ("xkeysib-", r"\bxkeysib-[a-f\d]{64}-\w{16}\b", "Brevo key"),
    ("key-", r"\bkey-[a-f\d]{32}\b", "Mailgun key"),
    ("rzp_live_", r"\brzp_live_\w{14,}", "Razorpay live key"),
    ("whsec_", r"\bwhsec_[A-Za-z\d+/=]{24,}", "webhook signing secret"),
    ("npg_", r"\bnpg_[A-Za-z\d]{12,}\b", "Neon database password"),
    ("sbp_", r"\bsbp_[a-f\d]{40}\b", "Supabase access token"),
    ("sb_secret_", r"\bsb_secret_[\w-]{20,}", "Supabase secret key"),
    ("PMAK-", r"\bPMAK-[a-f\d]{24}-[a-f\d]{34}\b", "Postman key"),
    ("dckr_pat_", r"\bdckr_pat_[\w-]{27}", "Docker Hub token"),
    ("AGE-SECRET-KEY-", r"\bAGE-SECRET-KEY-1[A-Z\d]{58}\b", "age key"),
    ("sntrys_", r"\bsntrys_[\w+/=]{40,}", "Sentry token"),
    ("lin_api_", r"\blin_api_\w{40}\b", "Linear key"),
    ("HRKU-", r"\bHRKU-[\w-]{36,}", "Heroku key"),
    (":AA", r"(?<!\d)\d{8,10}:AA[\w-]{33}(?![\w-])", "Telegram bot token"),
    ("discord", r"(?<![\w-])[MNO][A-Za-z\d_-]{23,25}\.[\w-]{6}\.[\w-]{27,38}(?![\w-])", "Discord bot token"),
    ("appid=", r"[?&]appid=(?P<value>[\w-]{20,})(?![\w%{$.-])", "key in a URL"),
    ("ey=", r"[?&]api_?[kK]ey=(?P<value>[\w-]{20,})(?![\w%{$.-])", "key in a URL"),
    ("token=", r"[?&](?:access|auth)_?token=(?P<value>[\w-]{20,})(?![\w%{$.-])", "key in a URL"),
    ("secret=", r"[?&](?:client|api)_?secret=(?P<value>[\w-]{20,})(?![\w%{$.-])", "key in a URL"),
    ("twilio", r"\bSK[a-f\d]{32}\b", "Twilio key"),
)

# What stands before the name of a key by which an address was signed: the name is sent, the key is not.
_SIGNED = ("Credential=", "Credential%3D", "AWSAccessKeyId=")

# A group of a pattern that is shorter is a part of the token.
_VALUE = 20
_TOKEN_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_BASE64_LETTERS = _TOKEN_LETTERS | frozenset("+/=")
_IN_BASE64 = frozenset({"Azure storage key", "JSON Web Token", "webhook signing secret", "Sentry token"})
_WITHOUT_PREFIX = frozenset({"Mailchimp key", "Cloudant credential", "SoftLayer credential"})

_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z\d]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?P<body>.{0,8000}?)(?:-----END|\Z)"
    r"|PuTTY-User-Key-File-\d.*?Private-Lines:\s*\d+"
    r"(?P<putty>[^:]{40,4000})",
    re.DOTALL,
)
_BASE64 = re.compile(r"[A-Za-z\d+/]{24,}")
# Literal beginnings keep the search fast; what stands before is looked at afterwards.
_URL = re.compile(
    r"://(?P<user>[^\s:/@\"'`<>{}\\|,;()]*):"
    r"(?P<password>[^\s/\"'`<>\\@{}]{1,200}(?:@[^\s/\"'`<>\\@{}.:]{1,60})*)@(?P<host>[\w.-]*)"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z\d+.-]{1,30}$")
_DSN = re.compile(r"(?<![A-Za-z_])(?:password|Password|PASSWORD|pwd|Pwd|PWD)=(?P<password>[^\s;\"'`={}%&,()]{3,100})")
_DSN_OTHER = re.compile(r"(?i)\b(host|server|dbname|database|user id|uid|data source|initial catalog)=")
_DSN_LOCAL = re.compile(r"(?i)\b(host|server|data source)=(localhost|127\.0\.0\.1)")
_LOCAL = word_set(
    """
    localhost 127.0.0.1 0.0.0.0 ::1 host.docker.internal
    """
)
# A fresh broker lets its own guest in from its own machine alone.
_BROKERS = word_set("amqp amqps pyamqp librabbitmq rabbitmq")
# Hosts of documentation.
_NOWHERE = re.compile(r"(^|\.)(example(\.(com|org|net))?|domain\.com|test|invalid|host|hostname|server|yourhost)$")
_TELLING_USER_WORDS = word_set(
    """
    user username usr login me name uname u foo myuser dbuser db_user your_user
    """
)
_TELLING_PASSWORDS = word_set(
    """
    pass password passwd pwd pw secret p mypass mypassword dbpass db_pass db_password foo bar xxx token key port
    pass1 word
    """
)


def needles() -> Iterator[str]:
    """The substrings of which a text has to have one, in any case, for :func:`find` to find anything in it."""
    yield from (needle for needle, _, _ in _OURS)
    yield from (needle for wanted, _, _, _ in _THEIRS for needle in wanted)
    yield from ("PRIVATE KEY", "PuTTY-User-Key", "://", "password=", "pwd=")


def find(text: str) -> Iterator[Match]:
    """Every credential of a text that its form gives away; one stretch may be seen by several detectors."""
    for needle, pattern, name in _OURS:
        if needle in text:
            yield from _matches(_compiled(pattern), text, name)
    for needles, module, cls, name in _THEIRS:
        if any(needle in text for needle in needles):
            for compiled in _denylist(module, cls):
                yield from _matches(compiled, text, name)
    if any(needle in text for needle in ("PRIVATE KEY", "PuTTY-User-Key")):
        yield from _private_keys(text)
    if ("://" in text and "@" in text) or any(needle in text for needle in ("password=", "Password=", "pwd=")):
        yield from urls(text)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@cache
def _denylist(module: str, cls: str) -> tuple[re.Pattern[str], ...]:
    """The patterns of one of detect-secrets' detectors, but for AWS's name beside any 40 letters."""
    found: tuple[re.Pattern[str], ...] = tuple(getattr(import_module(f"detect_secrets.plugins.{module}"), cls).denylist)
    return found[:1] if module == "aws" else found


def _matches(pattern: re.Pattern[str], text: str, name: str) -> Iterator[Match]:
    for found in pattern.finditer(text):
        start, end = _stretch(found, name)
        signed = name == "AWS access key" and text[:start].endswith(_SIGNED)
        strength = _strength(text[start:end], name) if not signed else None
        if strength is not None:
            start, end = _whole(text, start, end, name)
            yield Match(start, end, "provider", _named(text[start:end], name), strength)


def _stretch(found: re.Match[str], name: str) -> tuple[int, int]:
    """Where the credential itself stands: a group is one if it is long enough, and not the prefix of another."""
    group = found.lastindex or 0
    is_value = group and name != "npm token" and len(found.group(group) or "") >= _VALUE
    return found.span(group) if is_value else found.span()


def _whole(text: str, start: int, end: int, name: str) -> tuple[int, int]:
    """All of a token of which a pattern has seen so many letters: providers make longer ones than they once did."""
    letters = _BASE64_LETTERS if name in _IN_BASE64 else _TOKEN_LETTERS
    while end < len(text) and text[end] in letters:
        end += 1
    while name in _WITHOUT_PREFIX and start and text[start - 1].isalnum():
        start -= 1
    return start, end


def _strength(value: str, name: str) -> Strength | None:
    if "EXAMPLE" in value or re.search(r"(?i)x{6,}|0{8,}|123456789|abcdefgh|(.)\1{7,}", value):
        return None
    if name == "JSON Web Token":
        return _of_jwt(value)
    return "strong" if surprise(value) >= 38 else None


def _named(value: str, name: str) -> str:
    if name == "JSON Web Token" and b"service_role" in _decoded(value.split(".")[1]):
        return "Supabase service-role key"
    return name


def _of_jwt(value: str) -> Strength | None:
    """A token with a signature is a credential as long as it lives; Supabase's ``anon`` key is made to be published."""
    parts = value.split(".")
    if len(parts) != 3 or len(parts[2]) < 20 or b'"' not in _decoded(parts[0]):
        return None
    claims = _decoded(parts[1])
    if b'"anon"' in claims or b"John Doe" in claims:
        return None
    return "weak" if b'"exp"' in claims and b"service_role" not in claims else "strong"


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        return b""


def _private_keys(text: str) -> Iterator[Match]:
    for found in _PRIVATE_KEY.finditer(text):
        body = found.group("body") or found.group("putty") or ""
        # What separates the lines of a key in code: escapes, quotes, concatenation.
        runs = _BASE64.findall(body.replace("\\n", "\n"))
        if runs and sum(map(len, runs)) >= 40 and surprise(max(runs, key=len)) > 60:
            yield Match(found.start(), found.end(), "private-key", "private key", "strong")


def urls(text: str) -> Iterator[Match]:
    """Passwords in URLs and in connection strings (``host=... password=...``); the stretch is the password alone."""
    for found in _URL.finditer(text):
        scheme = _SCHEME.search(text, max(0, found.start() - 32), found.start())
        strength = _of_url(scheme.group().lower(), found["user"], found["password"], found["host"]) if scheme else None
        if scheme and strength is not None:
            local = found["host"].lower() in _LOCAL
            yield Match(found.start("password"), found.end("password"), "url", _what(scheme.group()), strength, local)
    for found in _DSN.finditer(text):
        around = _line_around(text, *found.span("password"))
        strength = _of_url("dsn", "", found["password"], "") if _DSN_OTHER.search(around) else None
        if strength is not None:
            local = bool(_DSN_LOCAL.search(around))
            yield Match(found.start("password"), found.end("password"), "url", "connection string", strength, local)


def _line_around(text: str, start: int, end: int) -> str:
    """What stands beside a stretch on its line, in the same literal."""
    before = re.split(r"[\r\n\"'`]", text[max(0, start - 200) : start])[-1]
    return before + re.split(r"[\r\n\"'`]", text[end : end + 200])[0]


def _of_url(scheme: str, user: str, password: str, host: str) -> Strength | None:
    if _leads_nowhere(scheme, host) or _is_no_password(scheme, user, password, host):
        return None
    verdict = judge(password)
    if verdict == "none" and not password.isdigit():
        return None
    if verdict in ("strong", "hash"):
        return "strong"
    if _is_documented(user, password, verdict):
        return None if scheme in ("http", "https") else "placeholder"
    return "placeholder" if verdict == "placeholder" else "weak"


def _leads_nowhere(scheme: str, host: str) -> bool:
    """Whether a host is nobody's; Alembic's template begins with "driver://user:pass@"."""
    alone = scheme in ("http", "https", "git", "ssh", "ftp") and host and "." not in host
    return bool(scheme == "driver" or alone or _NOWHERE.search(host.lower()))


def _is_no_password(scheme: str, user: str, password: str, host: str) -> bool:
    """Whether what stands before the host is filled in later, or is what a broker lets in from its own machine."""
    if user == password == "guest" and scheme in _BROKERS and host.lower() in _LOCAL:
        return True
    filled_in = password.startswith(("$", "%", "*", "<", "[", "...", ":")) or "$" in password[:2]
    return filled_in or "://" in password or "(" in password


def _is_documented(user: str, password: str, verdict: Verdict) -> bool:
    """Whether a password stands for one, as documentation writes it."""
    if re.fullmatch(r"[A-Z_]+", password):
        return True
    telling = verdict == "placeholder" or password.isupper() or password.lower() in _TELLING_PASSWORDS
    return telling and user.lower() in _TELLING_USER_WORDS


def _what(scheme: str) -> str:
    kind = scheme.lower().partition("+")[0]
    if kind in _BROKERS:
        return "broker URL"
    return "URL" if kind in ("http", "https", "git", "ssh", "ftp") else "database URL"
