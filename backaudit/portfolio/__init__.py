"""The scorecard of a project that somebody shows to an employer: what is expected of it, row by row, with evidence.

A module of ``rows/`` answers one row. Rows ask the project and what all families know of it; their words are data.
"""
