"""What the rules on an API's manners share: what a method may do, which status and which shape an answer has."""
