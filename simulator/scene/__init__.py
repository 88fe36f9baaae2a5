"""Scenes: a road junction with traffic and fires, drawn as calibrated cameras see it."""
