"""What `make` needs; no part of the application."""
