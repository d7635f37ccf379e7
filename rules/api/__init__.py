"""How the API behaves: what methods do, which statuses and shapes answers have, whether its description is true."""
