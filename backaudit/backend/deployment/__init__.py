"""How a back end is configured, and where it runs."""
