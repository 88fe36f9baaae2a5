"""What is kept of the last seconds, and what is made of it: clips, live view, looks back."""
