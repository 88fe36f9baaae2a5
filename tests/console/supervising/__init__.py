"""A supervisor at work, screen by screen, on one system that all of these share."""
