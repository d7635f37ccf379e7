"""What the rules of one family share: a folder a family, used by rules alone."""
