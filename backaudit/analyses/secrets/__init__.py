"""What rules on credentials share."""
