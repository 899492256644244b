"""What is to be done: desired and observed state, decisions, tasks and waits."""
