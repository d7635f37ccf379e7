"""What a name says about the value under it: whether it holds a credential, and of what kind."""

from __future__ import annotations

import re
from functools import lru_cache

from backaudit.facts.secrets import SecretKind
from backaudit.vocabulary.guessing import word_set

_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-zà-ÿ]+|\d+")

_PASSWORD = word_set(
    """
    password passwd pwd pw pass passphrase passcode userpass userpassword dbpass dbpassword dbpasswd rootpassword
    adminpassword pswd passwort kennwort senha clave contrasena contraseña contrasenia contrasenya parola wachtwoord
    """
)
_SIGNING = word_set(
    """
    secretkey jwtsecret secret signingkey jwtkey
    """
)
_TOKEN = word_set(
    """
    token apikey appid accesstoken authtoken bearertoken accesskey credential credentials apitoken
    """
)
_PLURAL = word_set(
    """
    passwords tokens secrets apikeys keys
    """
)
# What makes "..._key" a credential; of the first group it is one to sign or encrypt with.
_SIGNING_KEYS = word_set(
    """
    secret signing sign jwt jws encryption encrypt crypto crypt cipher aes hmac fernet
    """
)
_TOKEN_KEYS = word_set(
    """
    api session cookie security access auth private master service account app application license licence ssh rsa
    deploy server client consumer webhook shared role admin subscription stripe sendgrid mailgun openai anthropic
    twilio google aws azure gcp maps supabase algolia paypal recaptcha captcha pusher mixpanel segment weather tmdb
    rapidapi news integration
    """
)
# ... as vendors shorten it: only what looks generated counts under them.
_SHORTENED = word_set(
    """
    sec scrt priv prv pvt
    """
)
_SIGNING_SECRETS = word_set(
    """
    jwt session cookie app application flask django signing token hash csrf auth access refresh
    """
)
# ... and the other way round: ``SECRET_AUTH``.
_AFTER_SECRET = word_set(
    """
    auth jwt jws session captcha recaptcha
    """
)
# The thing named is about a credential, and is not one.
_ABOUT = word_set(
    """
    url uri urls path paths file files filename dir directory folder field fields name names type types header
    headers prefix suffix expires expire expiry expiration expired lifetime lifespan ttl timeout seconds minutes
    minute hours days age class classes cls validators validator validation model models form forms serializer
    serializers view views template templates length len min max size limit count counter algorithm algorithms alg
    algo id ids uuid label text help hint message messages msg error errors regex pattern re format fmt required
    enabled disabled policy strength hasher hashers backend backends scheme schemes schema endpoint endpoints route
    page title placeholder status state kind param params parameter argument arg column attr attribute var variable
    env cookie cookies location source func function method action event signal permission permissions scope scopes
    resolver generator factory subject email emails username date time datetime version bytes bits charset chars
    characters alphabet rule rules style strategy manager provider providers storage table collection index queue
    topic confirm confirmation confirmed again repeat repeated retype change changed reset forgot forgotten recovery
    update input widget button link description desc doc docs info note notes claim claims audience issuer iss aud
    lookup expr query sql context ctx mode level role roles group groups owner user users usage use uses str string
    int bool list dict set map mapping default handler middleware hook callback check checker mixin base test tests
    case exception exists missing invalid mismatch incorrect wrong wrongs bad old new1 new2 digest fingerprint
    thumbprint sum checksum position pos offset start end sep separator delimiter budget usage used cost price ratio
    per rate word words salt iterations rounds hash hashed hashes entropy ref reference arn region bucket project
    host hostname port domain question questions answer answers comment dialog modal screen tab icon image img css
    key_id plural singular option options embedding embeddings vocab sort symbol literal spec node stream lexer
    parser regexp rel transport getter setter
    """
)
_LEADING = word_set(
    """
    existing is has have should require requires required show allow enable need needs check verify validate no with
    without hide can use uses using reset forgot change confirm get set create generate make update public primary
    foreign cache sort partition object dict lookup next prev previous page pagination cursor continuation csrf xsrf
    csrfmiddleware pad eos bos unk mask sep cls idempotency natural unique translation content num number count max
    min total expected invalid wrong incorrect missing bad expired idp lang site anti test tests testing fake dummy
    sample example mock placeholder publishable
    """
)


@lru_cache(maxsize=20_000)
def words(name: str) -> tuple[str, ...]:
    """The words of a name, lower case: camel and snake case are taken apart."""
    return tuple(part.lower() for part in _PART.findall(name))


@lru_cache(maxsize=20_000)
def kind_of_name(name: str) -> SecretKind | None:
    """The kind of credential that a variable, field or key of that name holds; None for all other names."""
    parts = list(words(name))
    while parts and (
        parts[-1].isdigit() or parts[-1] in ("dev", "prod", "local", "value", "raw", "encoded", "b64", "base64", "hex")
    ):
        parts.pop()
    if not parts or len(parts) > 8 or parts[-1] in _ABOUT:
        return None
    if parts[0] in _LEADING and not (parts[0] in _SIGNING_SECRETS and "secret" in parts[1:]):
        return None
    return _kind(parts)


def _kind(parts: list[str]) -> SecretKind | None:
    last = parts[-1]
    before = parts[-2] if len(parts) > 1 else ""
    if last in ("key", "keys"):
        return _kind_of_key(parts, before)
    if last in _PASSWORD or (last == "word" and before == "pass"):
        return "password"
    if last == "secret":
        return "signing-key" if len(parts) == 1 or before in _SIGNING_SECRETS else "token"
    if last in _SIGNING:
        return "signing-key"
    if last in _TOKEN or last in _PLURAL or (before and last in ("pat", "dsn", "sk")):
        return "token"
    if before == "secret" and last in _AFTER_SECRET:
        return "token" if "captcha" in last else "signing-key"
    return _kind_of_stem(last)


def _kind_of_stem(word: str) -> SecretKind | None:
    """One lower-case word that ends in a telling stem: "mysqlpassword", "usertoken"."""
    if len(word) >= 24:
        return None
    if word.endswith(("password", "passwd")):
        return "password"
    return "token" if word.endswith(("apikey", "secretkey")) else None


def _kind_of_key(parts: list[str], before: str) -> SecretKind | None:
    if before in ("access", "auth") and "secret" in parts[:-2]:
        return "token"
    if before == "secret" and any(part in _TOKEN_KEYS - {"app", "application"} for part in parts[:-2]):
        return "token"
    if before in _SIGNING_KEYS:
        return "signing-key"
    if before in _TOKEN_KEYS or before in _SHORTENED or "api" in parts:
        return "token"
    return None


def is_abbreviated(name: str) -> bool:
    """Whether a name says only in short that its value is secret (``KPAY_SEC_KEY``, ``SHOP_SK``)."""
    parts = words(name)
    return len(parts) > 1 and (parts[-1] == "sk" or (parts[-1] == "key" and parts[-2] in _SHORTENED))


def is_plural(name: str) -> bool:
    """Whether the name is that of a collection of credentials, whose words need not be secret."""
    parts = words(name)
    return bool(parts) and parts[-1] in _PLURAL


def is_constant(name: str) -> bool:
    """Whether a name is written as settings are."""
    return name.isupper() or name.replace("-", "_").isupper()
