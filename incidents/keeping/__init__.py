"""What is kept, for how long, and how it is copied out and in again."""
