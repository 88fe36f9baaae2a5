"""Accounts, sessions, keys, and the audit log of what they did and saw."""
