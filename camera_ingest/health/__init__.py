"""How cameras are: the signs of every way in which one dies, and what is told of it."""
