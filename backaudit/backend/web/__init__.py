"""The web side of a back end: routes, what is sent, what is answered."""
