"""Many repositories: each is a task that any machine may take, and all that is found goes into one store.

``sources`` (what is asked for) < ``clones``, ``checkout`` (how it comes here) < ``scanning`` (one repository, in a
process that may be ended) < ``nursery``, ``keeper`` (who starts and ends it) < ``work`` (what a worker of Dask does) <
``run`` (who hands out the tasks); ``store`` keeps the results, ``summary`` adds them up for ``report/fleet``.
"""
