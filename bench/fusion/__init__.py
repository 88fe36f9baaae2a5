"""How well and how fast reports become incidents, on cities whose truth is known."""
