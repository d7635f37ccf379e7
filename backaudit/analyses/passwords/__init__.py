"""What rules on passwords share."""
