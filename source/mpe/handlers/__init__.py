"""One Lambda handler per trigger, each thin: parse, act, answer."""
