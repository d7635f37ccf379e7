"""How the project is deployed: debug modes, images, commands, exposed services."""
