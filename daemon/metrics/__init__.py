"""What the daemon counts and times about itself, and the service it is read from."""
