"""What is sent to other systems by our own doing: webhooks, and events for TAK."""
