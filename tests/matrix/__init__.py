"""Generated programs: how one mistake is written on every framework, store, input and layout. See README.md here."""
