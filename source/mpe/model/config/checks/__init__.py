"""What must hold in a config beyond its shape: for the service, and between its sections."""
