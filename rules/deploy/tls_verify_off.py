"""deploy/tls-verify-off."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.deploy.certificates import unchecked
from backaudit.analyses.deploy.clients import unchecked_builds
from backaudit.analyses.deploy.mends import checked_again
from backaudit.backend.deployment.stages import stage_of
from backaudit.project import Project
from backaudit.rule import Finding, assume, rule


@rule("deploy/tls-verify-off", severity="high", cwe=295, owasp=("A04:2025", "A02:2021", "API8:2023"))
def tls_verify_off(project: Project) -> Iterator[Finding]:
    """Certificate checks are off.

    Without them TLS hides the traffic from those who only listen. Anybody who can answer in the server's place is taken
    for the server, and gets the tokens, passwords and data that are sent.

    Mend: leave the check on. For a private authority give its certificate: `verify="/etc/ssl/our-ca.pem"`.

    Bad:
        import requests

        def rates(token):
            return requests.get("https://bank.example/rates", headers={"X-Token": token}, verify=False)

    Bad:
        import ssl

        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE

    Good:
        import requests

        def rates(token):
            return requests.get("https://bank.example/rates", headers={"X-Token": token}, verify="/etc/ssl/our-ca.pem")

    Good: not a certificate
        import jwt

        def header(token):
            return jwt.decode(token, options={"verify_signature": False}, verify=False)

    Links:
        https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification
    """
    for found in unchecked(project):
        code = found.at.code
        if code.file.role in ("production", "script") and stage_of(project, code.path) == "production":
            message = f"{found.told}: anybody can answer in the server's place."
            yield Finding(place=found.at.place, message=message, fixes=tuple(checked_again(found)))
    for place, program in unchecked_builds(project):
        message = (
            f"`{program}` is told to check no certificate while the image is built: what it fetches may be anybody's."
        )
        remedy = (
            "Leave the option out; for a private authority `COPY` its certificate and run `update-ca-certificates`."
        )
        yield Finding(
            place=place,
            message=message,
            remedy=remedy,
            assumed=assume("network", "the connection is not one inside the build's own network"),
        )
