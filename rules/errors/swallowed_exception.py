"""errors/swallowed-exception."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors import dropped
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("errors/swallowed-exception", severity="medium", cwe=(390, 391), owasp=("A10:2025",), tags=("reliability",))
def swallowed_exception(project: Project) -> Iterator[Finding]:
    """An exception is dropped: neither handled, nor logged, nor raised again.

    A handler that takes everything and says nothing hides bugs as well as the failure it was written for. What should
    have happened did not, the client is told that it did, and nobody will ever know why.

    Mend: catch the one exception that you expect and deal with it; for the rest let it rise, or log it with its
    traceback before going on.

    Bad:
        def send_receipt(mailer, order):
            try:
                mailer.send(order.email, render(order))
                order.receipt_sent = True
                order.save()
            except Exception:
                pass

    Good:
        import logging

        logger = logging.getLogger(__name__)

        def send_receipt(mailer, order):
            try:
                mailer.send(order.email, render(order))
            except ConnectionError:
                logger.exception("no receipt for order %s", order.id)

    Good: the exception is an answer
        def page(args):
            try:
                return int(args.get("page", 1))
            except ValueError:
                return 1

    Links:
        https://cwe.mitre.org/data/definitions/390.html
        https://owasp.org/Top10/2025/A10_2025-Mishandling_of_Exceptional_Conditions/
    """
    yield from dropped.findings(project)
