"""What rules on client input share."""
