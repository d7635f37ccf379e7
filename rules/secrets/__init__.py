"""Mistake No. 05: credentials in the repository."""
