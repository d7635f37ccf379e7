"""Names the packages; all else stands in pyproject.toml.

The built-in rules live in ``rules/`` and are imported as ``backaudit_rules``. No declarative form of setuptools finds
the sub-packages of a renamed folder, and a list by hand would be one more file to edit for every new family.
"""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["backaudit", "backaudit.*"]),
        "backaudit_rules",
        *(f"backaudit_rules.{name}" for name in find_packages("rules")),
    ]
)
