"""What rules on failures share."""
