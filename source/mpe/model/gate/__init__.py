"""What is known of each trained version, and whether it is good enough to be served."""
