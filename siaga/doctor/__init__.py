"""`siaga doctor`: what would keep this installation from working, and how to mend it."""
