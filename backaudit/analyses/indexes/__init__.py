"""What rules on indexes share."""
