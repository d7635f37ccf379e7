"""The model of a back end, compared with the frameworks' own word."""
