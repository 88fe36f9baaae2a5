"""One file a command; `siaga.cli` puts them together."""
