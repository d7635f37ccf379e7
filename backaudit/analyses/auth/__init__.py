"""What rules on callers and rights share."""
