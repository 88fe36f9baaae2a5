"""Fusion at work: reports in, decisions applied, cameras cued, and what people teach it."""
