"""The stages of a run as functions, composed by :mod:`backaudit.audit`.

In order: ``run`` (what is asked), ``inventory`` (which files there are), ``reading`` (what they and earlier commits
hold), ``linking`` (the project they make), ``checking`` (what rules find in it), ``mending`` (fixes as edits),
``recording`` (what was found, as triage needs it); beside them ``telling`` (surveys and scorecards) and ``keeping``
(what is kept between runs).
"""
