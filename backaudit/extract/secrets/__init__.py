"""Literal credentials in one file (the only home of detect-secrets).

Two kinds of evidence are joined (:mod:`hits`): a value whose own form gives it away (:mod:`detectors`), and a value
whose name and position say what it is (:mod:`python` for code, :mod:`texts` for everything else). One stretch of text
is one hit. Importing the package loads none of them: judging a single value costs no pattern of the others.
"""
