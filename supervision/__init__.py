"""What a service and its supervisor, systemd, tell each other. Shared by daemon and router."""
