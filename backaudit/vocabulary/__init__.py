"""Names as words: what a name says its value is. The words stand in the books beside this file, one a subject."""
