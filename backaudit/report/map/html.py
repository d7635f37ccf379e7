"""The survey as one HTML file in the dress of the scan's report: nothing to install, nothing to fetch."""

from __future__ import annotations

from markupsafe import Markup

from backaudit.report.html import asset, environment, policy
from backaudit.report.map.page import page
from backaudit.report.standards import PROJECT_URL
from backaudit.report.visible import inert_markup
from backaudit.survey.records import Survey


def render(survey: Survey, **options: object) -> str:
    """The whole document. Deterministic: the same survey gives the same bytes."""
    env = environment()
    css, script = asset(env, "report.css"), asset(env, "report.js")
    return inert_markup(
        env.get_template("map.html.j2").render(
            survey=survey,
            page=page(survey),
            project_url=PROJECT_URL,
            css=Markup(css),
            script=Markup(script),
            policy=policy(css, script),
        )
    )
