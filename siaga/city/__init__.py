"""The simulated city put on: served, registered, called in, rehearsed and scored."""
