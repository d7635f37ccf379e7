"""Web frameworks: each module translates facts to the records of :mod:`backaudit.backend.web.records`, data first."""
