"""What is checked, each rule with its id, its reason and its source."""
