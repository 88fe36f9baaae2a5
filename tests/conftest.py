"""Fixtures that several rooms use; each is described where it is made."""

pytest_plugins = ["tests.support.bus"]
