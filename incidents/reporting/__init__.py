"""What the reports count, and their arithmetic."""
