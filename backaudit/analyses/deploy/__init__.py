"""What rules on deployment share."""
