"""bandit's checks: rules of a family of their own, one for each row of the table."""
