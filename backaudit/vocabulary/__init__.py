"""Names as words: what a name says its value is."""
