"""The data side of a back end: tables, documents, queries."""
