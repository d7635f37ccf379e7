"""``backaudit lsp``: findings in the editor, over the language server protocol. pygls has its one door here."""
