"""What the user wrote: a config file, parsed and checked."""
