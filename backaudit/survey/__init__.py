"""The survey of a back end, which `map` shows: its routes, the schemas they take and answer with, its tables.

The parts are imported by their own modules, so that what only keeps a survey need not load what composes it.
"""
